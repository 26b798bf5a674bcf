from __future__ import annotations

from engine.protocol.workspace import Workspace
from tests.tuiapp.faces_made import made_faces, made_index
from tests.tuiapp.seen import SIZES, opened, sees


async def test_faces_are_seen_and_told_at_every_size(workspace: Workspace) -> None:
    made_faces(workspace.src.aligned, 3)
    made_index(workspace, "src")
    async with opened(workspace) as (_, pilot):
        await pilot.press("f")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await sees(pilot, "3 faces  by name", "1.  00001_0.jpg  yaw +0.10", "sharpness 10")
            await sees(pilot, "▌", "x Trash", "/ Filter")
