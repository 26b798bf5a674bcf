"""What a viewer wishes right after an undo, by a real session's socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.merge.workspace import merge_workspace
from tests.stages.merge_session.viewing import SocketViewer, quick_session
from tuiapp.bridge.merge_desk import MergeDesk

pytestmark = pytest.mark.slow


def test_a_key_pressed_right_after_an_undo_starts_from_the_restored_look_and_frame(
    tmp_path: Path,
) -> None:
    desk = MergeDesk()
    with quick_session(merge_workspace(tmp_path, frames=3)) as session:
        viewer = SocketViewer(session.run)
        viewer.send(*desk.greeting())
        heard = 0

        def exchanged() -> None:
            nonlocal heard
            for event in viewer.heard[heard:]:
                desk.heard(event)
            heard = len(viewer.heard)
            viewer.send(*desk.take_outbox())

        def until(true: Callable[[], bool]) -> None:
            def is_true() -> bool:
                exchanged()
                return true()

            assert viewer.listen(60, is_true)

        until(lambda: desk.state is not None and desk.look is not None)
        desk.step("erode_mask_modifier", 5)
        desk.go_by(2)
        until(lambda: desk.shown is not None and desk.shown.frame == 2)
        desk.undo()
        desk.step("erode_mask_modifier", 1)  # no answer was heard in between
        until(lambda: desk.shown is not None and desk.shown.look["erode_mask_modifier"] == 1)
        assert desk.shown is not None and desk.shown.frame == desk.frame == 0
