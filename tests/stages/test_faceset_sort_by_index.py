"""Sorting by what the index knows: other people, nearly identical faces, what dst needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.faces.face_file import read_face_data
from engine.protocol.errors import UsageError
from engine.protocol.workspace import Side, Workspace, list_images
from engine.stages.faceset_sort.run import run
from tests.faces.face_files import plain_jpeg
from tests.faces.made_facesets import make_faces
from tests.stages.extracting import extract, workspace
from tests.stages.test_faceset_report import turn
from tests.support.context import RecordingContext, context_for


def sort(root: Path, **options: Any) -> RecordingContext:
    context: RecordingContext = context_for(root, "faceset-sort", workers="1", **options)
    run(context)
    return context


def frames(side: Side) -> list[str | None]:
    """Of the faces in their order."""
    found = [read_face_data(path) for path in list_images(side.aligned)]
    return [data.source_filename for data in found if data is not None]


def test_nearly_identical_faces_go_to_the_trash_and_the_others_keep_their_order(
    tmp_path: Path,
) -> None:
    side = Workspace(tmp_path).src
    make_faces(side, 4)
    (side.aligned / "z.jpg").write_bytes((side.aligned / "00002_0.jpg").read_bytes())
    sort(tmp_path, side="src", method="duplicates")
    assert frames(side) == [f"{number:05d}.png" for number in range(4)]
    (trashed,) = (side.frames / "aligned_trash").rglob("*.jpg")
    assert trashed.name in {"z.jpg", "00002_0.jpg"}


def test_src_faces_that_dst_needs_come_first(tmp_path: Path) -> None:
    sides = Workspace(tmp_path)
    make_faces(sides.src, 6)
    make_faces(sides.dst, 3)
    turn(sides.src, "00004_0.jpg", 8)
    for number in range(3):
        turn(sides.dst, f"{number:05d}_0.jpg", 8)
    sort(tmp_path, side="src", method="coverage")
    assert frames(sides.src)[0] == "00004.png"
    with pytest.raises(UsageError, match="sorts src"):
        sort(tmp_path, side="dst", method="coverage")


def test_files_that_are_no_faces_go_to_the_trash(tmp_path: Path) -> None:
    side = Workspace(tmp_path).src
    make_faces(side, 2)
    (side.aligned / "plain.jpg").write_bytes(plain_jpeg())
    sort(tmp_path, side="src", method="duplicates")
    (trashed,) = (side.frames / "aligned_trash").rglob("*.jpg")
    assert trashed.name == "plain.jpg"


def test_a_sort_by_index_can_be_undone(tmp_path: Path) -> None:
    side = Workspace(tmp_path).src
    names = make_faces(side, 3)
    (side.aligned / "z.jpg").write_bytes((side.aligned / "00001_0.jpg").read_bytes())
    sort(tmp_path, side="src", method="duplicates")
    sort(tmp_path, side="src", undo=True)
    assert [path.name for path in list_images(side.aligned)] == [*names, "z.jpg"]


@pytest.mark.slow
def test_the_reference_persons_faces_come_first_and_nobody_is_lost(tmp_path: Path) -> None:
    workspace(tmp_path, "two_faces_large.mp4", range(0, 180, 45))
    extract(tmp_path, detector="dlib-hog", debug_images="no")
    side = Workspace(tmp_path).dst

    def places() -> list[bool]:
        """Whether each face is of the person at the picture's left."""
        found = [read_face_data(path) for path in list_images(side.aligned)]
        return [d.source_rect[0] < 400 for d in found if d is not None and d.source_rect]

    before = places()
    for is_left in (True, False, True):
        reference = list_images(side.aligned)[places().index(is_left)].name
        sort(tmp_path, side="dst", method="identity", reference=reference)
        assert places() == [is_left] * 4 + [not is_left] * 4
    assert sorted(before) == sorted(places())
