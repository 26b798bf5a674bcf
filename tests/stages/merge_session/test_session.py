"""A session on small made workspaces: commands in, pictures, state and files out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.protocol.events import MergeShown
from engine.protocol.merge_commands import MergeEdit
from tests.merge.workspace import FRAME_HW, merge_workspace
from tests.stages.merge_session.serving import serving

FULL = lambda shown: not shown.proxy  # noqa: E731


def test_the_first_frame_is_shown_as_large_as_the_box_allows(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        shown = viewer.first(MergeShown, where=FULL)
        assert (shown.frame, shown.name) == (0, "00001.png")
        assert (shown.width, shown.height) == (240, 160)
        assert (shown.frame_width, shown.frame_height) == FRAME_HW[::-1]
        assert viewer.picture(where=FULL).shape == (160, 240, 3)
        face = shown.faces[0]
        assert 0 <= face.left < face.right <= 120 and 0 <= face.top < face.bottom <= 80


def test_an_edit_changes_the_picture_and_comes_back_with_it(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        before = viewer.picture(where=FULL)
        edit = MergeEdit(frame=0, changes={"mode": "original"}, seq=5)
        shown = viewer.shown_after(edit)
        assert (shown.answered, shown.look["mode"]) == (5, "original")
        after = viewer.picture(where=lambda shown: FULL(shown) and shown.answered == 5)
        assert np.abs(before.astype(int) - after).max() > 20
