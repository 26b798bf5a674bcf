"""Whether a final result may be made, and what is said about the consents it is made under."""

from __future__ import annotations

from datetime import date

from engine.protocol.consent_judgement import Judgement, judge_workspace, refuse_without
from engine.protocol.stage import StageContext


def settle_consent(context: StageContext) -> tuple[Judgement, ...]:
    """How the consents of src and dst stand. Raises `InputError` where a result that is no draft
    has none; warns, by name, of each that is not valid. Drafts are made in any case."""
    options = context.options
    judgements = judge_workspace(context.workspace, options["purpose"], date.today())
    if options["draft"]:
        return judgements
    refuse_without(judgements)
    for judgement in judgements:
        for warning in judgement.warnings:
            context.warn(warning, "ask the person again and record it: the stage consent-record")
    return judgements
