"""The stage consent-erase as data."""

from __future__ import annotations

from dataclasses import replace

from engine.protocol.spec import SIDE, StageSpec
from engine.stages.consent_choice import RECORD

CONSENT_ERASE = StageSpec(
    id="consent-erase",
    title="Erase consent",
    group="Consent",
    summary="Take all that is recorded of one person out of the workspace",
    code="engine.stages.consent_erase.run:erase_consent",
    needs=("writable",),
    # A render that is under way may be speaking of the person in its journal.
    resources=("consent", "result"),
    replaces="what is recorded of that person",
    help="For people who want what is known of them to be erased; who only agrees no longer is"
    " withdrawn (consent-record). All that the record ever said, and the journals of runs that"
    " speak of it, go to the workspace's trash (.facewright/trash): delete that folder, and it is"
    " gone for good. Disclosure sheets name records by their ids alone, and stay.",
    options=(replace(SIDE, default="src", help="Whose consent it is."), RECORD),
)
