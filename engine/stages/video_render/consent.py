"""Whether a final result may be made, and what is said about the consents it is made under."""

from __future__ import annotations

from datetime import date

from engine.protocol.consent_judgement import Judgement, judge_workspace, refuse_without
from engine.protocol.stage import StageContext


def settle_consent(context: StageContext) -> tuple[Judgement, ...]:
    """How the consents of src and dst stand; () for a draft, which is made in any case. Raises
    `InputError` where one is missing; warns, by name, of each that is not valid."""
    if context.options["draft"]:
        return ()
    judgements = judge_workspace(context.workspace, context.options["purpose"], date.today())
    refuse_without(context.workspace, judgements)
    for judgement in judgements:
        for warning in judgement.warnings:
            context.warn(warning, "ask the person again and record it: the stage consent-record")
    return judgements
