"""The video of a side for the stages that need it."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side


def side_video(context: StageContext, side: Side) -> Path | None:
    """`data_SIDE.*`, or None if there is no such video. Warns where several are there, naming the
    one taken: the first by name."""
    found = side.videos()
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        context.warn(
            f"{side.root} holds several videos of {side.name}: {names}; {found[0].name} is taken",
            "rename the others if that is not the one that is meant",
        )
    return found[0] if found else None
