from __future__ import annotations

from pathlib import Path

from engine.protocol.merge_commands import MergeProcess
from engine.stages.label_session.run import run as draw_masks
from tests.merge.workspace import merge_workspace
from tests.stages.facesets import faceset
from tests.stages.merge_session.serving import serving
from tests.support.context import context_for


def test_a_session_that_nobody_looks_at_ends_by_itself_and_says_why(tmp_path: Path) -> None:
    faceset(tmp_path, 1)
    context = context_for(tmp_path, "label-session", side="src", end_after=20)
    context.unwatched = 20 * 60.0
    draw_masks(context)
    assert context.facts["faces"] == 1
    assert any("20 min" in note for note in context.notes)


def test_a_merge_session_ends_unwatched_only_when_the_rest_is_rendered(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=6), end_after=1) as viewer:
        viewer.send(MergeProcess(on=True))
        viewer.state(lambda state: state.processing)
        viewer.context.unwatched = 3600.0
        viewer.until(lambda: bool(viewer.context.notes))
    assert viewer.context.facts["left"] == 0
