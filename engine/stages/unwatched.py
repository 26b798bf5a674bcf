"""Sessions that nobody looks at any more end by themselves, so that what they hold is free again.
Imports no library."""

from __future__ import annotations

from engine.protocol.options import Integer, Option
from engine.protocol.stage import StageContext

END_AFTER = Option(
    "end_after",
    "End unwatched",
    Integer(0, 10_080),
    30,
    "When nobody has looked for so long (the workbench was closed or killed), the session ends;"
    " all that was done is saved. 0: it goes on until it is stopped.",
    unit="min",
    advanced=True,
)


def is_forgotten(context: StageContext) -> bool:
    """Whether it is time to end; says so in the run's notes."""
    minutes = context.options[END_AFTER.name]
    if not minutes or context.unwatched_s() < 60 * minutes:
        return False
    context.note(f"nobody has looked for {minutes} min: ended, everything is saved")
    return True
