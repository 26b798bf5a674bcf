"""A session on small made workspaces: commands in, pictures, state and files out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.protocol.commands import ViewerLeft
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.events import MergeRefused, MergeShown, MergeState, MergeStrip
from engine.protocol.merge_commands import (
    MergeCopy,
    MergeEdit,
    MergeGo,
    MergeKey,
    MergeProcess,
    MergeRedo,
    MergeShot,
    MergeUndo,
    MergeView,
)
from engine.protocol.timeline_file import timeline_path
from tests.merge.fakes import round_predictor
from tests.merge.workspace import FRAME_HW, merge_workspace
from tests.stages.merge_session.serving import serving
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow

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


def test_the_newest_edit_wins_and_those_between_are_not_drawn(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        viewer.first(MergeShown, where=FULL)
        edits = [
            MergeEdit(frame=0, changes={"erode_mask_modifier": amount}, seq=amount)
            for amount in range(1, 41)
        ]
        since = viewer.send(*edits)
        shown = viewer.first(MergeShown, since)
        assert shown.answered == 40 and shown.look["erode_mask_modifier"] == 40
        viewer.shown_after(MergeGo(frame=1))
        answered = [
            event.answered for event in viewer.told[since:] if isinstance(event, MergeShown)
        ]
        assert set(answered) == {40}


def test_each_of_two_viewers_has_its_own_pictures_answers_and_refusals(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        viewer.first(MergeShown, where=FULL)
        other = viewer.another(MergeView(width=60, height=60, view="mask"))
        other.first(MergeShown, where=FULL)
        since = other.send(MergeEdit(frame=1, changes={"erode_mask_modifier": 4}, seq=70))
        theirs = other.first(MergeShown, since, lambda shown: FULL(shown) and shown.answered)
        assert (theirs.answered, theirs.view, theirs.width) == (70, "mask", 60)
        mine = viewer.first(MergeShown, where=lambda shown: FULL(shown) and shown.frame == 1)
        assert (mine.answered, mine.view, mine.width) == (0, "result", 240)
        assert mine.look["erode_mask_modifier"] == 4
        mine = viewer.shown_after(MergeEdit(frame=1, changes={"mode": "original"}, seq=2))
        assert mine.answered == 2
        other.first(MergeShown, where=lambda shown: shown.look["mode"] == "original")
        assert viewer.refusal_of(MergeGo(frame=7, seq=3)).command_seq == 3
        told = [event for event in other.told if isinstance(event, MergeShown)]
        assert {event.answered for event in told} == {0, 70}
        assert not any(isinstance(event, MergeRefused) for event in other.told)


def test_a_viewer_that_went_is_drawn_for_no_more(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        other = viewer.another(MergeView(width=60, height=60))
        theirs = Path(other.first(MergeShown, where=FULL).path)
        other.send(ViewerLeft())
        viewer.shown_after(MergeGo(frame=1, seq=1))
        assert not theirs.exists()
        assert all(event.frame == 0 for event in other.told if isinstance(event, MergeShown))


def test_what_changes_no_picture_is_answered_all_the_same(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        viewer.first(MergeShown, where=FULL)
        shown = viewer.shown_after(MergeKey(frame=0, action="add", seq=1))
        assert shown.answered == 1
        assert viewer.shown_after(MergeUndo(seq=2)).answered == 2


def test_undo_and_redo_show_the_frame_that_they_change(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=6)) as viewer:
        viewer.shown_after(MergeEdit(frame=2, changes={"erode_mask_modifier": 4}, seq=1))
        viewer.shown_after(MergeGo(frame=5, seq=2))
        shown = viewer.shown_after(MergeUndo(seq=3))
        assert (shown.frame, shown.look["erode_mask_modifier"]) == (2, 0)
        viewer.shown_after(MergeGo(frame=0, seq=4))
        shown = viewer.shown_after(MergeRedo(seq=5))
        assert (shown.frame, shown.look["erode_mask_modifier"]) == (2, 4)


def test_what_is_not_possible_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        refused = viewer.refusal_of(MergeEdit(frame=0, changes={"blur_mask_modifier": 900}, seq=3))
        assert refused.command_seq == 3
        assert "900" in refused.message and "0 to 400" in refused.remedy
        assert "numbered 0 to 2" in viewer.refusal_of(MergeGo(frame=7)).remedy
        assert viewer.shown_after(MergeGo(frame=1)).look["blur_mask_modifier"] == 0


def test_a_viewer_that_comes_is_told_everything(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        viewer.shown_after(MergeGo(frame=2))
        since = viewer.send(MergeView(width=120, height=120, strip_frames=1, strip_height=20))
        shown = viewer.first(MergeShown, since, FULL)
        assert (shown.frame, shown.width, shown.height) == (2, 120, 80)
        assert viewer.first(MergeState, since).frame == 2
        strip = viewer.first(MergeStrip, since)
        assert (strip.first, strip.count, strip.thumb_width) == (1, 2, 30)
        assert (strip.width, strip.height) == (60, 20)


def test_the_shown_frame_is_rendered_when_it_rests(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    with serving(workspace) as viewer:
        viewer.state(lambda state: state.done == (0, 1, 2))
        assert [path.name for path in workspace.dst.merged.iterdir()] == ["00001.png"]
        since = viewer.send(MergeEdit(frame=0, changes={"mode": "original"}))
        viewer.state(lambda state: state.done == (0, 1, 2) and state.undo_depth == 1, since)
        assert same_pixels(workspace.dst.merged / "00001.png", workspace.dst.frames / "00001.png")


def test_the_rest_is_rendered_when_asked_for_and_nothing_twice(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=6, without_face=[3])
    with serving(workspace) as viewer:
        viewer.state(lambda state: state.done == (0, 1, 5))
        first = (workspace.dst.merged / "00001.png").stat().st_mtime_ns
        viewer.send(MergeProcess(on=True))
        viewer.state(lambda state: state.done == (0, 6) and not state.processing)
        assert (workspace.dst.merged / "00001.png").stat().st_mtime_ns == first
    assert viewer.context.facts["rendered"] == 6
    with serving(workspace) as viewer:
        viewer.state(lambda state: state.done == (0, 6))
        assert "rendered already" in viewer.refusal_of(MergeProcess(on=True)).message
    assert viewer.context.facts["rendered"] == 0


def test_an_edit_ends_the_rendering_of_the_rest_and_its_frames_render_again(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=40)
    with serving(workspace, workers="1") as viewer:
        viewer.send(MergeProcess(on=True))
        viewer.state(lambda state: sum(state.done[1::2]) >= 3)
        since = viewer.send(MergeEdit(frame=0, changes={"erode_mask_modifier": 9}))
        viewer.state(lambda state: not state.processing, since)
        viewer.send(MergeProcess(on=True))  # only what was not rendered before the edit came
        viewer.state(lambda state: state.done == (0, 40), since)
    assert viewer.context.facts["left"] == 0


def test_a_frame_that_cannot_be_read_is_told_and_the_others_are_rendered(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    (workspace.dst.frames / "00002.png").write_bytes(b"nothing")
    with serving(workspace) as viewer:
        assert "00002.png" in viewer.shown_after(MergeGo(frame=1)).note
        since = viewer.send(MergeProcess(on=True))
        viewer.state(lambda state: state.done == (0, 1, 1, 1) and not state.processing, since)


def test_a_frame_that_is_replaced_is_seen_and_rendered_anew(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    with serving(workspace) as viewer:
        viewer.send(MergeProcess(on=True))
        viewer.state(lambda state: state.done == (0, 3) and not state.processing)
        replaced = ("00001.png", "00003.png")
        for name in replaced:
            cv2.imwrite(str(workspace.dst.frames / name), np.full((*FRAME_HW, 3), 200, np.uint8))
        viewer.shown_after(MergeGo(frame=1, seq=1))
        since = viewer.send(MergeGo(frame=0, seq=2))
        picture = viewer.picture(since, lambda shown: shown.frame == 0 and FULL(shown))
        assert (np.abs(picture[:8, :8].astype(int) - 200) < 4).all()
        viewer.send(MergeProcess(on=True))
        viewer.until(lambda: all(map(is_grey, (workspace.dst.merged / name for name in replaced))))
    assert viewer.context.facts["rendered"] == 5


def test_a_change_of_faces_is_told(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    with serving(workspace) as viewer:
        viewer.state(lambda state: state.done == (0, 1, 1))
        (workspace.dst.aligned / "00002_0.jpg").unlink()
        viewer.shown_after(MergeGo(frame=1, seq=1))
        viewer.state(lambda state: state.done == (0, 2))
    assert any("faces" in warning for warning in viewer.context.warnings)


def test_a_look_that_wants_a_net_that_is_not_there_says_so(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        shown = viewer.shown_after(MergeEdit(frame=0, changes={"mask_mode": "XSeg-dst"}, seq=1))
        assert "XSeg" in shown.note
        back = viewer.shown_after(MergeEdit(frame=0, changes={"mask_mode": "dst"}, seq=2))
        assert back.note == ""


@pytest.mark.parametrize(
    "changes",
    [{"color_transfer_mode": "sot-m"}, {"super_resolution_power": 50}, {"color_degrade_power": 50}],
)
def test_a_slow_look_is_seen_roughly_before_it_is_there_in_full(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with serving(merge_workspace(tmp_path, frames=2)) as viewer:
        viewer.first(MergeShown, where=FULL)
        since = viewer.send(MergeEdit(frame=0, changes=changes, seq=1))
        answers = lambda shown: shown.answered == 1  # noqa: E731
        rough = viewer.first(MergeShown, since, answers)
        assert rough.proxy and rough.note == ""
        full = coarse(viewer.picture(since, lambda shown: answers(shown) and FULL(shown)))
        seen = coarse(viewer.picture(since, answers))
        assert np.abs(seen - full).mean() < 3


def test_super_resolution_asks_the_enhancer_once_a_face(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=2)) as viewer:
        for power in (50, 100):
            edit = MergeEdit(frame=0, changes={"super_resolution_power": power}, seq=power)
            assert viewer.shown_after(edit).note == ""


def test_copying_goes_on_with_the_look_at_the_next_frame(tmp_path: Path) -> None:
    with serving(merge_workspace(tmp_path, frames=3)) as viewer:
        viewer.shown_after(MergeGo(frame=1))
        viewer.shown_after(MergeEdit(frame=0, changes={"mode": "original"}, seq=1))
        shown = viewer.shown_after(MergeCopy(frame=0, to="next"))
        assert (shown.frame, shown.look["mode"]) == (1, "original")


def test_looks_and_rendered_frames_are_there_when_one_comes_back(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    with serving(workspace) as viewer:
        viewer.shown_after(MergeEdit(frame=1, changes={"erode_mask_modifier": 12}, seq=1))
        viewer.state(lambda state: state.done == (1, 1, 1))
    with serving(workspace) as viewer:
        viewer.state(lambda state: state.done == (0, 2, 1))  # the first one is shown, and rendered
        assert viewer.shown_after(MergeGo(frame=1)).look["erode_mask_modifier"] == 12
    assert viewer.context.facts["rendered"] == 1


def test_another_model_keeps_the_looks_and_renders_again(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    with serving(workspace) as viewer:
        viewer.shown_after(MergeEdit(frame=0, changes={"erode_mask_modifier": 12}, seq=1))
        viewer.state(lambda state: state.done == (0, 1, 1))
    trained = round_predictor()
    trained.fingerprint = "second"
    with serving(workspace, trained) as viewer:
        viewer.state(lambda state: state.done == (2,))
        viewer.state(lambda state: state.done == (0, 1, 1))
        assert viewer.first(MergeShown, where=FULL).look["erode_mask_modifier"] == 12


def test_a_timeline_that_cannot_be_used_is_refused_and_kept(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    path = timeline_path(workspace, "new", "quick96")
    path.parent.mkdir(parents=True)
    path.write_text("version = 1\n[default]\nmode = 'nicely'\n")
    with pytest.raises(InputError, match="mode"), serving(workspace):
        pass
    assert "nicely" in path.read_text()


def test_pictures_of_others_are_kept_until_the_user_agrees(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    workspace.dst.merged.mkdir()
    theirs = workspace.dst.merged / "00001.png"
    theirs.write_bytes(b"by hand")
    with pytest.raises(ConfirmationNeeded), serving(workspace):
        pass
    assert theirs.read_bytes() == b"by hand"
    with serving(workspace, confirmed=True) as viewer:
        viewer.state(lambda state: state.done == (0, 1, 1))
    assert [path.read_bytes() for path in workspace.trash.rglob("00001.png")] == [b"by hand"]


def is_grey(picture: Path) -> bool:
    """Whether it was made of a frame that is all grey."""
    return bool((cv2.imread(str(picture))[:8, :8] == 200).all())


def coarse(picture: np.ndarray) -> np.ndarray:
    """What is seen of it from afar."""
    return cv2.resize(picture, (24, 16), interpolation=cv2.INTER_AREA).astype(int)


def same_pixels(one: Path, other: Path) -> bool:
    return bool((cv2.imread(str(one)) == cv2.imread(str(other))).all())


def test_shots_are_found_when_one_begins_and_cuts_that_were_joined_stay_so(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=20)
    for number in range(1, 21):
        picture = np.full((*FRAME_HW, 3), 40 if number <= 12 else 200, np.uint8)
        cv2.imwrite(str(workspace.dst.frames / f"{number:05d}.png"), picture)
    with serving(workspace) as viewer:
        assert viewer.state(lambda state: len(state.shots) > 1).shots == (0, 12)
        since = viewer.send(MergeEdit(frame=3, changes={"mode": "original"}), MergeUndo())
        assert viewer.state(lambda state: state.redo_depth == 1, since).shots == (0, 12)
        since = viewer.send(MergeShot(frame=12, action="join"))
        viewer.state(lambda state: state.shots == (0,), since)
    with serving(workspace) as viewer:
        viewer.state(lambda state: state.done[0] == 0)
        viewer.shown_after(MergeGo(frame=3))
        assert viewer.state(lambda state: state.frame == 3).shots == (0,)


def test_looks_of_deepfacelabs_session_are_taken_over(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    workspace.models.mkdir()
    theirs = shared_path("golden", "merge", "new_SAEHD_merger_session.dat")
    kept = workspace.models / "new_SAEHD_merger_session.dat"
    kept.write_bytes(theirs.read_bytes())
    with serving(workspace, model="new", model_class="saehd") as viewer:
        viewer.first(MergeShown, where=FULL)
    assert kept.read_bytes() == theirs.read_bytes()
    assert viewer.context.notes or viewer.context.warnings
