"""Sessions in this process: what a viewer is told, and what the files hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.faces.face_file import read_face_data, read_jpeg, rewrite_face_data
from engine.faces.jpeg_segments import read_head
from engine.protocol.errors import InputError
from engine.protocol.events import (
    LabelsKept,
    LabelsRefused,
    LabelsShown,
    LabelsState,
    LabelsStrip,
    LabelsSuggested,
)
from engine.protocol.label_commands import (
    LabelPolygon,
    LabelsGo,
    LabelsSet,
    LabelsSuggest,
    LabelsTrash,
    LabelsUntrash,
    LabelsView,
    labels_stamp,
)
from engine.protocol.workspace import Workspace
from engine.stages.label_session.label_file import read_label_file
from engine.stages.label_session.run import run
from tests.faces.made_facesets import bring_up_to_date
from tests.stages.facesets import faceset, labelled
from tests.stages.label_session.serving import BEGUN, HOLE, NOTHING, TRIANGLE, serving
from tests.support.context import context_for
from tests.support.tree import tree

FIRST, SECOND = "00000_0.jpg", "00001_0.jpg"


def test_a_viewer_is_told_the_face_and_where_the_session_stands(tmp_path: Path) -> None:
    folder = faceset(tmp_path, **labelled())
    with serving(tmp_path) as viewer:
        shown = viewer.first(LabelsShown)
        assert (shown.face, shown.name, shown.path) == (0, FIRST, str(folder / FIRST))
        assert (shown.width, shown.height) == (64, 64)
        assert [polygon.is_include for polygon in shown.polygons] == [True, False]
        mask = cv2.imread(shown.mask_path, cv2.IMREAD_GRAYSCALE)
        assert mask.shape == (64, 64) and mask[32, 32] > 250 and mask[2, 2] < 5
        assert viewer.state(lambda state: state.faces == 3).labelled == (0, 3)


def test_answers_go_to_the_viewer_whose_commands_they_answer(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.first(LabelsShown)
        other = viewer.another(LabelsView())
        other.first(LabelsShown)
        known = len(viewer.told)
        assert other.kept(LabelsSet(FIRST, (TRIANGLE,), over=NOTHING, seq=9)).command_seq == 9
        assert other.refusal_of(LabelsSet(FIRST, (HOLE,), over=NOTHING, seq=10)).command_seq == 10
        other.first(LabelsSuggested, other.send(LabelsSuggest(FIRST, "landmarks", seq=11)))
        viewer.kept(LabelsSet(SECOND, (TRIANGLE,), over=NOTHING, seq=1))
        told = [event for event in viewer.told[known:] if not isinstance(event, LabelsState)]
        assert [type(event) for event in told] == [LabelsKept]


def test_polygons_are_in_the_file_when_they_are_acknowledged(tmp_path: Path) -> None:
    folder = faceset(tmp_path)
    picture_before = cv2.imread(str(folder / SECOND))
    with serving(tmp_path) as viewer:
        kept = viewer.kept(LabelsSet(SECOND, (HOLE, TRIANGLE), over=NOTHING, seq=7))
        assert (kept.command_seq, kept.stamp) == (7, labels_stamp((TRIANGLE, HOLE)))
        assert viewer.in_file(SECOND) == (TRIANGLE, HOLE)
        assert viewer.state(lambda state: state.labelled == (1, 1, 1))
    assert np.array_equal(cv2.imread(str(folder / SECOND)), picture_before)
    assert viewer.context.facts == {"faces": 3, "labelled": 1}


def test_only_the_labels_of_a_file_change(tmp_path: Path) -> None:
    folder = faceset(tmp_path, **labelled(other={"confidence": 0.5}))
    before, jpeg = read_face_data(folder / FIRST), read_jpeg(folder / FIRST)
    assert before is not None
    with serving(tmp_path) as viewer:
        over = labels_stamp(viewer.first(LabelsShown).polygons)
        viewer.kept(LabelsSet(FIRST, (TRIANGLE,), over=over, seq=1))
    after = read_face_data(folder / FIRST)
    assert after is not None and after.other == before.other
    assert after.xseg_mask_compressed == before.xseg_mask_compressed
    assert np.array_equal(after.landmarks, before.landmarks)
    scan_before = jpeg[jpeg.index(b"\xff\xdb") :]
    assert read_jpeg(folder / FIRST).endswith(scan_before[-1000:])
    assert read_head(read_jpeg(folder / FIRST)).size_hw == (64, 64)


def test_what_was_drawn_just_before_the_end_is_kept(tmp_path: Path) -> None:
    folder = faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.first(LabelsShown)
        viewer.context.stop_requested = True
        viewer.send(LabelsSet(FIRST, (TRIANGLE,), over=NOTHING, seq=1))
    assert read_label_file(folder / FIRST).polygons == (TRIANGLE,)


def test_removing_all_polygons_removes_the_key(tmp_path: Path) -> None:
    folder = faceset(tmp_path, **labelled())
    with serving(tmp_path) as viewer:
        over = labels_stamp(viewer.first(LabelsShown).polygons)
        viewer.kept(LabelsSet(FIRST, (), over=over, seq=1))
    data = read_face_data(folder / FIRST)
    assert data is not None and data.seg_ie_polys == ()


def test_polygons_of_two_points_are_left_out(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.kept(LabelsSet(FIRST, (BEGUN, TRIANGLE), over=NOTHING, seq=1))
        assert viewer.in_file(FIRST) == (TRIANGLE,)


def test_a_polygon_that_is_begun_is_there_again_in_the_next_session(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.kept(LabelsSet(SECOND, (TRIANGLE,), BEGUN, over=NOTHING, seq=1))
    with serving(tmp_path) as viewer:
        shown = viewer.shown(1)
        assert (shown.polygons, shown.open) == ((TRIANGLE,), BEGUN)
        viewer.kept(LabelsSet(SECOND, (TRIANGLE,), over=labels_stamp((TRIANGLE,)), seq=1))
        assert viewer.shown(0).open is None and viewer.shown(1).open is None


def test_a_session_begins_at_the_face_that_was_shown_last(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.shown(2)
    with serving(tmp_path) as viewer:
        assert viewer.first(LabelsShown).face == 2


def test_labels_that_something_else_changed_are_never_replaced_blindly(tmp_path: Path) -> None:
    folder = faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.kept(LabelsSet(FIRST, (TRIANGLE,), over=NOTHING, seq=1))
        data = read_face_data(folder / FIRST)
        assert data is not None
        rewrite_face_data(folder / FIRST, replace(data, seg_ie_polys=data.seg_ie_polys * 2))
        since = viewer.send(
            LabelsSet(FIRST, (TRIANGLE, HOLE), over=labels_stamp((TRIANGLE,)), seq=2)
        )
        refused = viewer.first(LabelsRefused, since)
        assert refused.command_seq == 2 and "changed by something else" in refused.message
        shown = viewer.first(LabelsShown, since)
        assert shown.changed_elsewhere and shown.polygons == (TRIANGLE, TRIANGLE)
        assert viewer.in_file(FIRST) == (TRIANGLE, TRIANGLE)


def test_sending_polygons_twice_does_no_harm(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.kept(LabelsSet(FIRST, (TRIANGLE,), over=NOTHING, seq=1))
        assert viewer.kept(LabelsSet(FIRST, (TRIANGLE,), over=NOTHING, seq=2)).command_seq == 2


@pytest.mark.parametrize(
    "polygon",
    [
        LabelPolygon(True, ((1e9, 1.0), (2.0, 2.0), (3.0, 1.0))),
        LabelPolygon(True, tuple((float(n % 60), 1.0) for n in range(10_001))),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path: Path, polygon: LabelPolygon) -> None:
    folder = faceset(tmp_path)
    before = tree(folder)
    with serving(tmp_path) as viewer:
        assert viewer.refusal_of(LabelsSet(FIRST, (polygon,), over=NOTHING, seq=3)).command_seq == 3
        assert (
            viewer.refusal_of(LabelsSet(FIRST, (), polygon, over=NOTHING, seq=4)).command_seq == 4
        )
    assert tree(folder) == before


def test_faces_that_are_not_there_are_refused(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        assert "face number 3" in viewer.refusal_of(LabelsGo(3)).message
        assert "../x.jpg" in viewer.refusal_of(LabelsSet("../x.jpg", (), over=NOTHING)).message
        assert "no face gone.jpg" in viewer.refusal_of(LabelsTrash("gone.jpg")).message


def test_a_face_goes_to_the_trash_and_comes_back(tmp_path: Path) -> None:
    folder = faceset(tmp_path)
    before = tree(folder)
    with serving(tmp_path) as viewer:
        viewer.shown(1)
        since = viewer.send(LabelsTrash(SECOND))
        assert viewer.state(lambda state: state.faces == 2).face == 1
        assert viewer.first(LabelsShown, since).name == "00002_0.jpg"
        assert viewer.state(lambda state: (state.faces, state.trashed) == (2, 1))
        assert not (folder / SECOND).exists()
        since = viewer.send(LabelsUntrash())
        assert viewer.first(LabelsShown, since).name == SECOND
        assert viewer.state(lambda state: (state.faces, state.trashed) == (3, 0), since)
        assert "no face went to the trash" in viewer.refusal_of(LabelsUntrash()).message
    assert tree(folder) == before


def test_all_faces_may_go_to_the_trash(tmp_path: Path) -> None:
    faceset(tmp_path, 2)
    with serving(tmp_path) as viewer:
        viewer.send(LabelsTrash(SECOND), LabelsTrash(FIRST))
        assert viewer.state(lambda state: state.faces == 0)
        viewer.send(LabelsUntrash())
        assert viewer.state(lambda state: state.faces == 1)


def test_suggestions_come_from_landmarks_the_hair_line_and_grabcut(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.kept(LabelsSet(FIRST, (HOLE,), over=NOTHING, seq=1))
        for seq, how in enumerate(("landmarks", "hairline", "grabcut"), start=2):
            since = viewer.send(LabelsSuggest(FIRST, how, seq))  # type: ignore[arg-type]
            suggested = viewer.first(LabelsSuggested, since)
            assert (suggested.name, suggested.how, suggested.command_seq) == (FIRST, how, seq)
            assert HOLE in suggested.polygons
            if how != "grabcut":
                assert len(suggested.polygons[0].points) > 8
        assert viewer.in_file(FIRST) == (HOLE,)


def test_grabcut_of_nothing_is_refused(tmp_path: Path) -> None:
    faceset(tmp_path)
    with serving(tmp_path) as viewer:
        assert "nothing is drawn" in viewer.refusal_of(LabelsSuggest(FIRST, "grabcut", 1)).message


def test_the_strip_shows_neighbours_and_their_masks(tmp_path: Path) -> None:
    faceset(tmp_path, 5)
    with serving(tmp_path, LabelsView(strip_faces=3, strip_height=32)) as viewer:
        assert (viewer.first(LabelsStrip).first, viewer.first(LabelsStrip).count) == (0, 3)
        viewer.kept(
            LabelsSet(
                "00003_0.jpg",
                (LabelPolygon(True, ((0, 0), (64, 0), (64, 64), (0, 64))),),
                over=NOTHING,
                seq=1,
            )
        )
        since = viewer.send(LabelsGo(3))
        strip = viewer.first(LabelsStrip, since)
        assert (strip.first, strip.face, strip.width, strip.height) == (2, 3, 96, 32)
        plain = cv2.resize(cv2.imread(str(viewer.folder / "00003_0.jpg")), (32, 32)).astype(int)
        tinted = cv2.imread(strip.path)[:, 32:64].astype(int)
        assert np.abs(tinted - plain).mean() > 20


def test_a_face_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    folder = faceset(tmp_path)
    with serving(tmp_path) as viewer:
        viewer.first(LabelsShown)
        (folder / SECOND).write_bytes(b"\xff\xd8 nothing")
        assert viewer.shown(1).trouble and not viewer.shown(1).polygons


def test_pictures_that_are_no_faces_are_left_out(tmp_path: Path) -> None:
    folder = faceset(tmp_path)
    cv2.imwrite(str(folder / "note.jpg"), np.zeros((8, 8, 3), np.uint8))
    with serving(tmp_path) as viewer:
        assert viewer.state(lambda _: True).faces == 3


def test_labels_are_known_from_the_index_and_from_files_that_changed_since(tmp_path: Path) -> None:
    folder = faceset(tmp_path, **labelled())
    bring_up_to_date(tmp_path, "src")
    data = read_label_file(folder / SECOND).data
    rewrite_face_data(folder / SECOND, replace(data, seg_ie_polys=()))
    with serving(tmp_path) as viewer:
        assert viewer.state(lambda _: True).labelled == (0, 1, 1, 1)


def test_a_packed_faceset_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = faceset(tmp_path)
    Workspace(tmp_path).src.pack.write_bytes(b"")
    with pytest.raises(InputError) as refused:
        run(context_for(tmp_path, "label-session", side="src"))
    assert "faceset-unpack --side src" in refused.value.remedy and folder.is_dir()


def test_a_desk_file_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    faceset(tmp_path)
    path = tmp_path / ".facewright" / "labels" / "src.desk.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 1, "open": 5}')
    with pytest.raises(InputError) as refused:
        run(context_for(tmp_path, "label-session", side="src"))
    assert "move it away" in refused.value.remedy and path.read_text().endswith("5}")
