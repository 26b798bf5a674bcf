"""The stage faceset-report: its findings, its files, its advice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.faces.face_file import read_face_data, rewrite_face_data
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import InputError, UsageError
from engine.protocol.faceset_report import REPORT_VERSION, read_report, report_path
from engine.protocol.workspace import Side, Workspace
from engine.stages.faceset_report.run import run
from tests.faces.face_files import plain_jpeg
from tests.faces.made_facesets import face_jpeg, make_faces
from tests.stages.extracting import extract, workspace
from tests.support.context import RecordingContext, context_for
from tests.support.tree import tree


def report(root: Path, **options: Any) -> tuple[dict[str, Any], RecordingContext]:
    context: RecordingContext = context_for(root, "faceset-report", workers="1", **options)
    run(context)
    return json.loads(Path(context.facts["report"]).read_text()), context


def turn(side: Side, name: str, yaw_px: float) -> None:
    """Move the nose of a face sideways: it then looks that way."""
    data = read_face_data(side.aligned / name)
    assert data is not None
    landmarks = data.landmarks.copy()
    landmarks[27:36, 0] += yaw_px
    rewrite_face_data(side.aligned / name, replace(data, landmarks=landmarks))


def test_a_report_is_written_as_json_and_picture_and_shown(tmp_path: Path) -> None:
    make_faces(Workspace(tmp_path).dst, 5)
    found, context = report(tmp_path)
    assert found["overview"]["faces"] == found["overview"]["frames"] == 5
    assert found["overview"]["sizes_px"] == {"64x64": 5}
    assert found["coverage"] is None and found["people"] is None
    picture = read_image_bgr_u8(tmp_path / ".facewright" / "reports" / "dst.png")
    assert picture.shape[1] > 1000
    ((_, shown, _),) = context.previews
    assert shown.parent == context.run_dir


def test_a_report_changes_no_face(tmp_path: Path) -> None:
    side = Workspace(tmp_path).src
    make_faces(side, 3)
    before = tree(side.frames)
    report(tmp_path, side="src")
    assert tree(side.frames) == before


def test_what_src_lacks_is_named_with_the_frames_of_dst(tmp_path: Path) -> None:
    sides = Workspace(tmp_path)
    make_faces(sides.src, 5)
    make_faces(sides.dst, 5)
    turn(sides.dst, "00003_0.jpg", 8)
    found, context = report(tmp_path, side="src")
    holes = [hole for hole in found["coverage"]["holes"] if hole["missing"] == "pose"]
    assert [hole["frames"] for hole in holes] == [["00003.png"]]
    assert any(
        "src lacks" in text and "1 dst face, frame 00003.png" in text for text in context.warnings
    )


def test_a_report_reads_back_as_it_was_made_with_every_face_in_a_cell(tmp_path: Path) -> None:
    sides = Workspace(tmp_path)
    make_faces(sides.src, 5)
    make_faces(sides.dst, 4)
    turn(sides.dst, "00003_0.jpg", 8)
    found, _ = report(tmp_path, side="src")
    back = read_report(sides, "src")
    assert back is not None and json.loads(msgspec.json.encode(back)) == found
    assert back.coverage is not None
    cells = back.coverage.cells
    assert (sum(cell.src for cell in cells), sum(cell.dst for cell in cells)) == (5, 4)
    (turned,) = [cell for cell in cells if cell.lacking]
    assert turned.yaw != 0 and turned.lacking == turned.dst == 1


def test_a_report_that_is_damaged_or_of_another_version_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert read_report(workspace, "dst") is None
    path = report_path(workspace, "dst")
    path.parent.mkdir(parents=True)
    for text in ("{", '{"version": 1}', f'{{"version": {REPORT_VERSION}, "side": 3}}', "[]"):
        path.write_text(text)
        with pytest.raises(InputError, match="the report"):
            read_report(workspace, "dst")


def test_duplicates_are_advised_to_go_from_src_only(tmp_path: Path) -> None:
    for side in (Workspace(tmp_path).src, Workspace(tmp_path).dst):
        make_faces(side, 3)
        (side.aligned / "copy.jpg").write_bytes((side.aligned / "00001_0.jpg").read_bytes())
    for side_name, is_advised in (("src", True), ("dst", False)):
        found, context = report(tmp_path, side=side_name)
        (group,) = found["duplicates"]["groups"]
        assert {group["kept"], *group["others"]} == {"00001_0.jpg", "copy.jpg"}
        assert any("identical" in text for text in context.warnings) is is_advised


def test_landmarks_that_form_no_head_are_doubted(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 3)
    noise = np.random.default_rng(0).uniform(0, 64, (68, 2))
    (side.aligned / "wrong.jpg").write_bytes(face_jpeg(landmarks=noise))
    upside_down = 63 - read_landmarks(side.aligned / "00000_0.jpg")
    (side.aligned / "down.jpg").write_bytes(face_jpeg(landmarks=upside_down))
    found, _ = report(tmp_path)
    doubtful = {one["file"]: one["why"] for one in found["doubtful_landmarks"]}
    assert doubtful.keys() == {"wrong.jpg", "down.jpg"}
    assert doubtful["wrong.jpg"] == "the landmarks form no head"
    assert "turned by 180°" in doubtful["down.jpg"]


def test_landmarks_that_do_not_lie_where_the_picture_was_cut_are_doubted(tmp_path: Path) -> None:
    side = Workspace(tmp_path).src
    make_faces(side, 5)
    moved = read_landmarks(side.aligned / "00000_0.jpg") + np.array((6, 0))
    (side.aligned / "moved.jpg").write_bytes(face_jpeg(landmarks=moved))
    found, _ = report(tmp_path, side="src")
    (doubtful,) = found["doubtful_landmarks"]
    assert doubtful["file"] == "moved.jpg"
    assert "not cut by these landmarks" in doubtful["why"]


def test_whose_face_one_of_doubtful_landmarks_is_is_not_guessed(tmp_path: Path) -> None:
    side = Workspace(tmp_path).src
    make_faces(side, 5)
    noise = np.random.default_rng(0).uniform(0, 64, (68, 2))
    (side.aligned / "wrong.jpg").write_bytes(face_jpeg(landmarks=noise))
    found, _ = report(tmp_path, side="src", identity=True)
    assert [one["file"] for one in found["doubtful_landmarks"]] == ["wrong.jpg"]
    assert sum(found["people"]["faces_of"].values()) == 5


def read_landmarks(path: Path) -> np.ndarray:
    data = read_face_data(path)
    assert data is not None
    return data.landmarks


def test_files_that_are_no_faces_are_told(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 2)
    (side.aligned / "plain.jpg").write_bytes(plain_jpeg())
    found, context = report(tmp_path)
    assert list(found["overview"]["no_faces"]) == ["plain.jpg"]
    assert any("1 files are no faces: plain.jpg" in text for text in context.warnings)


def test_a_reference_that_is_no_face_is_refused(tmp_path: Path) -> None:
    make_faces(Workspace(tmp_path).dst, 2)
    with pytest.raises(UsageError, match="has no such face"):
        report(tmp_path, reference="nobody.jpg")


def test_a_side_without_faces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a face file"):
        report(tmp_path)


@pytest.mark.slow
def test_a_clip_of_two_people_is_reported_as_such(tmp_path: Path) -> None:
    workspace(tmp_path, "two_faces_large.mp4", range(0, 180, 30))
    extract(tmp_path, detector="dlib-hog", debug_images="no")
    found, context = report(tmp_path, identity=True)
    assert found["people"]["count"] == 2
    assert found["people"]["faces_of"] == {"1": 6, "2": 6}
    assert len(found["people"]["others"]) == 6 and found["people"]["perhaps_others"] == []
    assert "6 faces of other people" in context.warnings[0]
    other = found["people"]["others"][0]["file"]
    again, _ = report(tmp_path, reference=other)
    assert other not in [one["file"] for one in again["people"]["others"]]
    assert len(again["people"]["others"]) == 6
    assert found["doubtful_landmarks"] == []
