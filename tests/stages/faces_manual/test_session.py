"""Every operation of a manual extraction, verified from the files that it wrote."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError
from engine.protocol.events import ManualFace, ManualRefused, ManualState
from engine.protocol.frame_marks import (
    KEEP,
    NO_FACE,
    SUSPICIOUS,
    FrameMark,
    change_marks,
    marks_path,
    read_marks,
)
from engine.protocol.manual_commands import (
    ManualAccurate,
    ManualCopy,
    ManualFill,
    ManualGo,
    ManualKeep,
    ManualLock,
    ManualPoints,
    ManualRectangle,
    ManualSkip,
    ManualView,
)
from engine.protocol.workspace import Workspace
from tests.detect.recipe import recipe_weights
from tests.stages.extracting import workspace
from tests.stages.faces_manual.serving import Viewer, face_file, points_in, serving, square

pytestmark = pytest.mark.slow  # takes seconds in the sum

FRAMES = 6


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six frames of a nearly still face, without faces."""
    return workspace(tmp_path, "pairA_dst.mp4", range(FRAMES))


def told_points(face: ManualFace) -> np.ndarray:
    return np.array(face.points)


def keep(viewer: Viewer, frame: int) -> ManualFace:
    """Place the square in that frame and keep what is seen there."""
    viewer.send(ManualGo(frame=frame), square(frame, seq=100 + frame), ManualKeep(frame=frame))
    return viewer.first(ManualFace, 0, lambda face: face.kept and face.frame == frame)


def test_each_viewer_is_told_what_of_its_own_commands_the_face_follows(root: Path) -> None:
    with serving(root) as viewer:
        viewer.look(square(0, seq=5))
        other = viewer.another(ManualView())
        assert other.first(ManualFace).answered == 0
        known = len(viewer.told)
        assert other.look(square(0, seq=70, x=240.0)).answered == 70
        other.refusal_of(ManualKeep(frame=4))
        viewer.face_where(lambda face: face.locked, ManualLock(frame=0, on=True))
        told = viewer.told[known:]
        assert {event.answered for event in told if isinstance(event, ManualFace)} == {5}
        assert not [event for event in told if isinstance(event, ManualRefused)]


def test_a_kept_face_is_in_its_file_with_landmarks_box_and_matrix(root: Path) -> None:
    with serving(root) as viewer:
        face = viewer.look(square(0))
        viewer.face_where(lambda face: face.kept, ManualKeep(frame=0))
    data = face_file(root, 0)
    assert data is not None and data.source_landmarks is not None
    points = np.array(data.source_landmarks)
    assert np.abs(points - told_points(face)).max() < 0.01
    assert data.face_type is FaceType.WHOLE_FACE and data.source_filename == "00001.png"
    assert data.source_rect is not None and data.image_to_face_mat is not None
    box = [*points.min(axis=0), *points.max(axis=0)]
    assert np.abs(np.array(data.source_rect) - box).max() <= 0.5
    matrix = face_from_frame(points, 512, FaceType.WHOLE_FACE)
    assert np.abs(data.image_to_face_mat - matrix).max() < 1e-6
    assert np.abs(data.landmarks - transform_points(points, matrix)).max() < 1e-6
    picture = cv2.imread(str(Workspace(root).dst.aligned / "00001_0.jpg"))
    assert picture is not None and picture.shape == (512, 512, 3)
    assert (Workspace(root).dst.aligned_debug / "00001.jpg").is_file()


def test_landmarks_follow_the_square_and_lie_on_the_face(root: Path) -> None:
    with serving(root) as viewer:
        accurate = told_points(viewer.look(square(0)))
        viewer.send(ManualAccurate(on=False))
        near = viewer.look(square(0, seq=2))
        beside = viewer.look(square(0, seq=3, x=300.0))
    eyes = np.hypot(*(accurate[45] - accurate[36]))
    assert not near.doubtful
    assert np.hypot(*(told_points(near) - accurate).T).mean() < 0.15 * eyes
    assert told_points(beside)[:, 0].mean() > told_points(near)[:, 0].mean() + 10


def test_a_rolled_square_gives_the_landmarks_of_a_rolled_face(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", range(1))
    path = Workspace(root).dst.frames / "00001.png"
    image = cv2.imread(str(path))
    assert image is not None
    turn = cv2.getRotationMatrix2D((240, 240), -40, 1.0)  # clockwise in the picture
    cv2.imwrite(str(path), cv2.warpAffine(image, turn, (480, 480)))
    x, y = turn @ (241, 265, 1)
    with serving(root, accurate=False) as viewer:
        points = told_points(viewer.look(square(0, x=x, y=y, roll_deg=40.0)))
    across = points[45] - points[36]
    assert abs(np.degrees(np.arctan2(across[1], across[0])) - 40) < 5


def test_of_squares_that_come_at_once_the_newest_is_answered_and_kept(root: Path) -> None:
    with serving(root) as viewer:
        squares = [square(0, seq=n, x=200.0 + n) for n in range(1, 42)]
        viewer.send(*squares, ManualKeep(frame=0))
        viewer.first(ManualFace, 0, lambda face: face.kept and face.answered == 41)


def test_a_face_set_by_hand_is_locked_and_kept_as_it_was_set(root: Path) -> None:
    with serving(root) as viewer:
        points = told_points(viewer.look(square(0)))
        points[30] += (3.25, -1.5)
        sent = tuple(map(tuple, points.tolist()))
        face = viewer.face_after(ManualPoints(frame=0, points=sent, seq=2))
        assert face.locked and face.source == "hand" and face.answered == 2
        viewer.face_where(lambda face: face.kept, ManualKeep(frame=0))
    assert np.abs(points_in(root, 0) - points).max() < 1e-6


def test_points_that_are_no_face_are_refused(root: Path) -> None:
    with serving(root) as viewer:
        for points in ((), ((1.0, 2.0),) * 68, ((float("1e9"), 2.0),) * 68):
            assert "no face" in viewer.refusal_of(ManualPoints(frame=0, points=points)).message
        assert "no face" in viewer.refusal_of(square(0, half_side=0.0)).message


def test_commands_for_another_frame_than_the_shown_one_are_refused(root: Path) -> None:
    with serving(root) as viewer:
        viewer.look(square(0))
        for command in (ManualKeep(frame=3), ManualSkip(frame=3), ManualLock(frame=3, on=True)):
            assert "not the shown one" in viewer.refusal_of(command).message
        assert "no frame number" in viewer.refusal_of(ManualGo(frame=99)).message
    assert face_file(root, 3) is None


def test_a_free_rectangle_places_the_mean_face_with_its_jaw_on_one_point(root: Path) -> None:
    with serving(root) as viewer:
        arrow = {"across": 60.0, "down": 60.0}
        face = viewer.face_after(ManualRectangle(frame=0, x=240.0, y=250.0, seq=1, **arrow))
        assert face.source == "rectangle" and not face.locked
        viewer.face_where(lambda face: face.kept, ManualKeep(frame=0))
    points = points_in(root, 0)
    assert np.ptp(points[:17], axis=0).max() < 1e-9
    assert np.abs(points[30] - (240, 250)).max() < 1e-9
    across = points[54] - points[48]
    assert abs(np.degrees(np.arctan2(across[1], across[0])) - 45) < 5
    assert face_file(root, 0) is not None


def test_leaving_a_frame_keeps_a_locked_face_only(root: Path) -> None:
    with serving(root) as viewer:
        viewer.look(square(0))
        viewer.shown(1, ManualGo(frame=1, keeps=True))
        viewer.look(square(1, seq=2))
        viewer.face_where(lambda face: face.locked, ManualLock(frame=1, on=True))
        viewer.shown(2, ManualGo(frame=2, keeps=True))
    assert [face_file(root, frame) is not None for frame in (0, 1)] == [False, True]


def test_a_frame_with_a_face_is_shown_with_it_locked(root: Path) -> None:
    with serving(root) as viewer:
        kept = told_points(keep(viewer, 0))
        viewer.shown(1, ManualGo(frame=1))
        back = viewer.face_where(lambda face: face.source == "file", ManualGo(frame=0))
        assert back.locked and back.kept and np.abs(told_points(back) - kept).max() < 0.02


def test_a_skipped_frame_loses_the_face_that_was_kept_here_to_the_trash(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 0)
        viewer.state(lambda state: state.runs[0].state == "skipped", ManualSkip(frame=0))
    assert face_file(root, 0) is None
    assert len(list(Workspace(root).trash.rglob("00001_0.jpg"))) == 1


def test_what_is_replaced_goes_to_the_trash_and_further_faces_stay(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 0)
    aligned = Workspace(root).dst.aligned
    before = (aligned / "00001_0.jpg").read_bytes()
    (aligned / "00001_1.jpg").write_bytes(before)
    with serving(root, frames="all", fresh=True) as viewer:
        viewer.face_where(lambda face: face.source == "file")
        viewer.send(square(0, seq=5, x=250.0))
        viewer.face_where(lambda face: face.kept and face.answered == 5, ManualKeep(frame=0))
    assert (aligned / "00001_1.jpg").read_bytes() == before
    assert (aligned / "00001_0.jpg").read_bytes() != before
    [trashed] = Workspace(root).trash.rglob("00001_0.jpg")
    assert trashed.read_bytes() == before


def test_the_face_of_the_frame_before_is_copied(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 1)
        viewer.send(ManualGo(frame=3))
        copied = viewer.face_where(lambda face: face.source == "copy", ManualCopy(frame=3))
        assert copied.locked
        viewer.face_where(lambda face: face.kept and face.frame == 3, ManualKeep(frame=3))
    assert np.abs(points_in(root, 3) - points_in(root, 1)).max() < 1e-9


def test_frames_between_two_kept_faces_are_filled_evenly(root: Path) -> None:
    with serving(root) as viewer:
        first = told_points(keep(viewer, 0))
        viewer.send(ManualGo(frame=4), ManualSkip(frame=4), ManualGo(frame=5))
        last = first * 1.2 + (5.0, -20.0)
        viewer.send(ManualPoints(frame=5, points=tuple(map(tuple, last.tolist()))))
        viewer.send(ManualKeep(frame=5), ManualGo(frame=2))
        filled = viewer.send(ManualFill(frame=2, how="between"))
        viewer.first(ManualFace, filled, lambda face: face.source == "file" and face.frame == 2)
    middle = points_in(root, 2)
    size = [np.hypot(*(points[45] - points[36])) for points in (first, middle, last)]
    assert abs(size[1] / size[0] - 1.2 ** (2 / 5)) < 1e-3
    place = 0.6 * first.mean(axis=0) + 0.4 * last.mean(axis=0)
    assert np.abs(middle.mean(axis=0) - place).max() < 0.02
    assert [face_file(root, frame) is not None for frame in (1, 2, 3, 4)] == [True] * 3 + [False]


def test_there_is_nothing_to_fill_without_faces_on_both_sides(root: Path) -> None:
    with serving(root) as viewer:
        viewer.look(square(0))
        refusal = viewer.refusal_of(ManualFill(frame=0, how="between"))
        assert "no frames between" in refusal.message and refusal.remedy


def test_a_face_is_followed_through_the_frames_after_it(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 0)
        viewer.state(
            lambda state: not state.filling and state.frame == 4,
            ManualFill(frame=0, how="follow", frames=3),
        )
    assert face_file(root, 4) is None
    eyes = np.hypot(*(points_in(root, 0)[45] - points_in(root, 0)[36]))
    with serving(root) as viewer:
        for frame in (1, 3):
            viewer.send(ManualGo(frame=frame))
            seen = told_points(viewer.look(square(frame, seq=50 + frame)))
            apart = np.hypot(*(points_in(root, frame) - seen)[17:].T).mean()
            assert apart < 0.06 * eyes


def test_following_ends_where_a_shot_does(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", range(12))
    other = workspace(tmp_path / "other", "pairB_src.mp4", range(6))
    for number in range(7, 13):
        image = cv2.imread(str(Workspace(other).dst.frames / f"{number - 6:05d}.png"))
        assert image is not None
        path = Workspace(root).dst.frames / f"{number:05d}.png"
        cv2.imwrite(str(path), cv2.resize(image, (480, 480)))
    with serving(root) as viewer:
        keep(viewer, 2)
        refusal = viewer.refusal_of(ManualFill(frame=2, how="follow", frames=9))
        assert "a shot begins at 00007.png" in refusal.message
    kept = [frame for frame in range(12) if face_file(root, frame) is not None]
    assert kept == [2, 3, 4, 5]


def test_following_stops_before_a_frame_that_has_a_face_and_need_not_be_done(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 3)
    before = points_in(root, 3)
    with serving(root) as viewer:
        keep(viewer, 0)
        viewer.send(ManualFill(frame=0, how="follow", frames=5))
        viewer.state(lambda state: [run.frames for run in state.runs][:1] == [4])
    assert np.array_equal(points_in(root, 3), before) and face_file(root, 4) is None


def test_a_session_goes_on_at_the_first_frame_that_is_not_done(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 0)
        viewer.send(ManualGo(frame=1), ManualSkip(frame=1))
        viewer.state(lambda state: state.runs[1].state == "skipped")
    with serving(root) as viewer:
        assert viewer.first(ManualState).frame == 2
    assert Workspace(root).dst.aligned.is_dir()
    with serving(root, frames="all", fresh=True) as viewer:
        assert viewer.first(ManualState).frame == 0


def test_a_face_that_was_removed_since_is_to_be_done_again(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 0)
    (Workspace(root).dst.aligned / "00001_0.jpg").unlink()
    with serving(root) as viewer:
        state = viewer.first(ManualState)
        assert state.frame == 0 and state.runs[0].state == "open"


def test_a_face_being_set_by_hand_is_there_again_after_a_stop(root: Path) -> None:
    with serving(root) as viewer:
        viewer.send(ManualGo(frame=3))
        points = told_points(viewer.look(square(3))) + 1.5
        hand = ManualPoints(frame=3, points=tuple(map(tuple, points.tolist())), seq=2)
        viewer.face_where(lambda face: face.source == "hand", hand)
    with serving(root) as viewer:
        again = viewer.face_where(lambda face: face.source == "hand")
        assert again.frame == 3 and np.abs(told_points(again) - points).max() < 0.02


def test_frames_whose_debug_picture_was_deleted_are_to_be_done_again(root: Path) -> None:
    with serving(root) as viewer:
        for frame in range(3):
            keep(viewer, frame)
    (Workspace(root).dst.aligned_debug / "00002.jpg").unlink()
    with serving(root, frames="deleted-debug") as viewer:
        state = viewer.first(ManualState)
        assert state.frame == 1
        assert [(run.state, run.frames) for run in state.runs][:3] == [
            ("kept", 1),
            ("open", 1),
            ("kept", 1),
        ]
        viewer.send(ManualSkip(frame=1))
        viewer.state(lambda state: state.runs[1].state == "skipped")
    assert (Workspace(root).dst.aligned_debug / "00002.jpg").is_file()


def test_a_frame_that_cannot_be_read_is_told_and_can_be_passed(root: Path) -> None:
    (Workspace(root).dst.frames / "00001.png").write_bytes(b"no picture")
    with serving(root) as viewer:
        assert "cannot read" in viewer.shown(0).problem
        assert "no face" in viewer.refusal_of(ManualKeep(frame=0)).message
        viewer.send(ManualSkip(frame=0), ManualGo(frame=1))
        assert viewer.shown(1).path


def test_a_viewer_that_comes_later_is_told_all_again(root: Path) -> None:
    with serving(root) as viewer:
        viewer.look(square(0))
        since = viewer.send(ManualView())
        viewer.first(ManualFace, since)
        shown = viewer.shown(0, ManualView())
        assert (shown.width, shown.height) == (480, 480)


def test_what_was_sent_before_a_stop_is_carried_out(root: Path) -> None:
    with serving(root) as viewer:
        viewer.first(ManualFace)
        viewer.context.stop_requested = True
        viewer.send(square(0, seq=7), ManualKeep(frame=0))
    assert face_file(root, 0) is not None


def test_every_version_that_is_replaced_is_in_the_trash(root: Path) -> None:
    path = Workspace(root).dst.aligned / "00001_0.jpg"
    versions = []
    with serving(root) as viewer:
        for seq in range(1, 4):
            since = viewer.send(square(0, seq=seq, x=235.0 + 3 * seq), ManualKeep(frame=0))
            viewer.first(ManualFace, since, lambda face: face.kept)
            versions.append(path.read_bytes())
    trashed = {found.read_bytes() for found in Workspace(root).trash.rglob(path.name)}
    assert trashed == set(versions[:2]) and path.read_bytes() == versions[2]


def test_marked_frames_are_done_and_no_more_marked_then_and_once_more_when_marked_again(
    root: Path,
) -> None:
    marks = marks_path(Workspace(root), "dst")
    mark = FrameMark(frozenset({SUSPICIOUS}))
    change_marks(marks, lambda _: {"00002.png": mark, "00004.png": FrameMark(frozenset({KEEP}))})
    with serving(root, frames="marked") as viewer:
        state = viewer.first(ManualState)
        assert state.frame == 1
        assert [(run.state, run.frames) for run in state.runs] == [
            ("other", 1),
            ("open", 1),
            ("other", 4),
        ]
        keep(viewer, 1)
    assert set(read_marks(marks)) == {"00004.png"}
    change_marks(marks, lambda old: {**old, "00002.png": mark})
    with serving(root, frames="marked") as viewer:
        assert viewer.first(ManualState).runs[1].state == "open"


def test_a_kept_face_ends_that_its_frame_is_marked_as_without_one(root: Path) -> None:
    marks, mark = marks_path(Workspace(root), "dst"), FrameMark(frozenset({NO_FACE}))
    change_marks(marks, lambda _: {"00001.png": mark, "00002.png": mark})
    with serving(root) as viewer:
        keep(viewer, 0)
        viewer.send(ManualGo(frame=1), ManualSkip(frame=1))
        viewer.state(lambda state: state.runs[1].state == "skipped")
    assert set(read_marks(marks)) == {"00002.png"}


def test_faces_of_a_renamed_faceset_are_found_and_replaced_where_they_are(root: Path) -> None:
    with serving(root) as viewer:
        keep(viewer, 0)
    aligned = Workspace(root).dst.aligned
    (aligned / "00001_0.jpg").rename(aligned / "00007.jpg")
    with serving(root, frames="all", fresh=True) as viewer:
        viewer.face_where(lambda face: face.source == "file")
        viewer.send(square(0, seq=5, x=250.0), ManualKeep(frame=0))
        viewer.face_where(lambda face: face.kept and face.answered == 5)
    assert [path.name for path in aligned.iterdir()] == ["00007.jpg"]


def test_size_and_type_of_the_faces_that_are_there_are_kept_to(root: Path) -> None:
    with serving(root, face_type="f", image_size="300") as viewer:
        keep(viewer, 0)
    with serving(root) as viewer:
        keep(viewer, 1)
    data = face_file(root, 1)
    assert data is not None and data.face_type is FaceType.FULL
    picture = cv2.imread(str(Workspace(root).dst.aligned / "00002_0.jpg"))
    assert picture is not None and picture.shape == (300, 300, 3)


def test_a_packed_faceset_and_missing_weights_are_refused(root: Path) -> None:
    with pytest.raises(InputError, match=r"2DFAN\.npy"), serving(root, landmarks="2dfan"):
        pass
    aligned = Workspace(root).dst.aligned
    aligned.mkdir()
    (aligned / "faceset.pak").write_bytes(b"x")
    with pytest.raises(InputError, match="packed") as refused, serving(root):
        pass
    assert "faceset-unpack" in refused.value.remedy


def test_fan_looks_where_the_square_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "facewright" / "weights"
    folder.mkdir(parents=True)
    weights = {name: tensor.copy() for name, tensor in recipe_weights("FAN").items()}
    (folder / "2DFAN.npy").write_bytes(pickle.dumps(weights, protocol=4))
    root = workspace(tmp_path / "w", "pairA_dst.mp4", [0])
    with serving(root, landmarks="2dfan") as viewer:
        for accurate in (True, False):
            viewer.send(ManualAccurate(on=accurate))
            points = told_points(viewer.look(square(0, seq=1 + accurate, half_side=60.0)))
            # Weights of chance see nothing: their points fill the look, 2.05 sides of the square.
            off = np.abs(points - (241, 265))
            assert off.max() < 2.06 * 60 + 2 and off.max() > 60
