"""Keys of the merge screen in a terminal that draws pixels, with a real session behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol.timeline import look_at
from engine.protocol.timeline_file import read_timeline, timeline_path
from engine.protocol.workspace import list_images
from tests.merge.workspace import merge_workspace
from tests.stages.merge_session.viewing import quick_session
from tests.support.pixel_terminal import pixel_terminal

pytestmark = [pytest.mark.terminal, pytest.mark.slow, pytest.mark.timeout(600)]
# What is under way when the last key is pressed, the newest look, and that in full; one to spare.
LATE_PICTURES = 4


def test_twenty_keys_in_a_second_leave_no_queue_of_stale_pictures(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    with quick_session(workspace), pixel_terminal(tmp_path) as terminal:
        terminal.wait_for("running")
        terminal.type("\x1bOR")  # F3
        terminal.wait_for_picture(since=0, seconds=120)
        terminal.wait_for_rest()
        for _ in range(20):
            pressed_at = terminal.type("w")
            terminal.listen(0.05)
        terminal.wait_for_picture(pressed_at)
        terminal.wait_for_rest(quiet_s=2)
        late = [at for at in terminal.pictures if at > pressed_at]
        assert 1 <= len(late) <= LATE_PICTURES
    stems = [path.stem for path in list_images(workspace.dst.frames)]
    timeline = read_timeline(timeline_path(workspace, "new", "quick96"), stems)
    assert timeline is not None and look_at(timeline, 0).erode_mask_modifier == 20
