"""The stage consent-show as data."""

from __future__ import annotations

from engine.protocol.consent import SCOPES
from engine.protocol.consent_judgement import UNSTATED
from engine.protocol.options import Choice, Flag, Option
from engine.protocol.spec import StageSpec

PURPOSE = Option(
    "purpose",
    "Purpose",
    Choice(
        (
            (UNSTATED, "not said: scopes of consents are not compared with it"),
            *((name, words) for name, words in SCOPES.items() if name != "any"),
        )
    ),
    UNSTATED,
    "What the result is for. A consent that is for something else is named in a warning.",
)

CONSENT_SHOW = StageSpec(
    id="consent-show",
    title="Show consent",
    group="Consent",
    summary="Say who agreed to what, and whether that holds today",
    code="engine.stages.consent_show.run:show_consent",
    needs=("writable",),
    help="With contact and notes, as they are for whoever made the workspace. Withdrawn records are"
    " shown, too.",
    options=(
        PURPOSE,
        Option(
            "as_json",
            "As JSON",
            Flag(),
            False,
            "Say each record as one line of JSON, for programs.",
        ),
    ),
)
