"""Ways on from a render that was refused because nobody recorded a consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.protocol.consent_judgement import WHO, consent_glance
from engine.protocol.errors import FacewrightError
from engine.protocol.workspace import SIDES
from tuiapp.forms.memory import remember_values
from tuiapp.screens.pick import PickScreen

if TYPE_CHECKING:
    from tuiapp.app import FacewrightApp

_DRAFT = "draft"


def ask_for_consent(
    workbench: FacewrightApp, error: FacewrightError, stage_id: str, values: Mapping[str, object]
) -> None:
    """Offer the form of each consent that is missing, after which the stage's own form begins with
    these values again, or the same stage with them as a draft."""
    sides = [
        side for side in SIDES if not consent_glance(workbench.workspace.side(side)).allows_final
    ]
    rows = [(side, f"Record a consent for {side}, {WHO[side]}") for side in sides]
    rows.append((_DRAFT, "Render a draft: every frame says that it is one"))

    def chosen(id: str | None) -> None:
        if id == _DRAFT:
            workbench.start_stage(stage_id, {**values, "draft": True})
        elif id is not None:
            try:
                remember_values(workbench.workspace, stage_id, values)
            except FacewrightError as failure:
                workbench.tell(failure)
            workbench.open_form("consent-record", {"side": id})

    workbench.push_screen(PickScreen("No consent", rows, error.message), chosen)
