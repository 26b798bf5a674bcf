"""The stage `marking`: results of this workspace are marked, or not, and why."""

from __future__ import annotations

from engine.protocol.stage import StageContext
from engine.provenance.marking import marking_path, switch_marking


def switch(context: StageContext) -> None:
    """Turn it on or off. Raises `UsageError` for off without a reason."""
    options = context.options
    state = switch_marking(context.workspace, on=options["state"] == "on", reason=options["reason"])
    context.result(marking=state.words, log=str(marking_path(context.workspace)))
