"""The index follows its faceset: only what changed is read, whatever happened to the index."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_index import IndexWriter, read_files
from engine.faces.face_type import FaceType
from engine.faces.head_fit import fit_heads
from engine.faces.pose import estimate_pose
from engine.protocol.errors import InputError
from engine.protocol.face_index import FaceRow, index_path, opened_index
from engine.protocol.workspace import Side, Workspace
from tests.faces.face_files import face_data, labels, pack, plain_jpeg
from tests.faces.made_facesets import (
    bring_up_to_date,
    face_jpeg,
    generated_index,
    make_faces,
)
from tests.support.disks import small_disk
from tests.support.shared import shared_path


def rows(root: Path) -> list[FaceRow]:
    with opened_index(index_path(Workspace(root), "dst")) as index:
        assert index is not None
        return index.rows()


def test_a_face_is_indexed_with_its_metadata_and_pose(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    (side.aligned / "a.jpg").write_bytes(face_jpeg(seg_ie_polys=labels()))
    bring_up_to_date(tmp_path)
    (row,) = rows(tmp_path)
    head = fit_heads(face_data().landmarks[None])
    assert (row.name, row.source_filename, row.face_type) == ("a.jpg", "00001.png", "whole_face")
    assert (row.width_px, row.height_px, row.rect_area_px) == (64, 64, 120 * 120)
    assert (row.yaw_rad, row.pitch_rad, row.roll_rad) == (
        pytest.approx(head.yaw_rad[0], abs=1e-9),
        pytest.approx(head.pitch_rad[0], abs=1e-9),
        pytest.approx(head.roll_rad[0], abs=1e-9),
    )
    assert (row.has_labels, row.has_mask) == (1, 0)


def test_an_upright_face_has_no_roll_where_deepfacelabs_fit_puts_the_head_behind_the_camera(
    tmp_path: Path,
) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    frames = np.load(shared_path("golden", "geometry", "geometry.npz"))["landmarks"]
    behind = 0
    for number, in_frame in enumerate(frames):
        landmarks = transform_points(in_frame, face_from_frame(in_frame, 64, FaceType.WHOLE_FACE))
        behind += estimate_pose(landmarks, 64).behind_camera
        (side.aligned / f"{number:05d}_0.jpg").write_bytes(face_jpeg(landmarks=landmarks))
    bring_up_to_date(tmp_path)
    rolls_rad = [row.roll_rad for row in rows(tmp_path)]
    assert behind > 5 and len(rolls_rad) == len(frames)
    assert all(roll is not None and abs(roll) < 0.25 for roll in rolls_rad)


def test_an_index_holds_the_landmarks_in_face_and_frame(tmp_path: Path) -> None:
    make_faces(Workspace(tmp_path).dst, 1)
    bring_up_to_date(tmp_path)
    with opened_index(index_path(Workspace(tmp_path), "dst")) as index:
        assert index is not None
        details = index.details(index.rows()[0].id)
    assert details is not None and details.source_landmarks_xy is not None
    given = face_data()
    np.testing.assert_allclose(details.landmarks_xy, given.landmarks, atol=1e-4)
    np.testing.assert_allclose(details.source_landmarks_xy, given.source_landmarks, atol=1e-4)


def test_faces_that_only_change_names_are_not_read_again(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 5)
    (side.aligned / "plain.jpg").write_bytes(plain_jpeg())
    for number, path in enumerate(sorted(side.aligned.iterdir())):
        os.utime(path, ns=(0, 1_700_000_000_000_000_001 + number))
    bring_up_to_date(tmp_path)
    with IndexWriter(index_path(Workspace(tmp_path), "dst")) as writer:
        writer.add_identities((row.id, bytes(512)) for row in writer.index.rows())
    frames = {row.name: row.source_filename for row in rows(tmp_path)}
    turned = {f"{number:05d}_0.jpg": f"{(number + 1) % 5:05d}_0.jpg" for number in range(5)}
    rename_all(side, turned | {"plain.jpg": "sorted.jpg"})
    assert bring_up_to_date(tmp_path) == []
    assert {row.name: row.source_filename for row in rows(tmp_path)} == {
        new: frames[old] for old, new in turned.items()
    }
    with opened_index(index_path(Workspace(tmp_path), "dst")) as index:
        assert index is not None
        assert not index.changes(side)
        assert list(index.skipped()) == ["sorted.jpg"]
        assert len(dict(index.blobs("identity"))) == 5


@pytest.mark.parametrize(
    "mtimes_ns", [(9_000_000_001, 9_000_000_001), (9_000_000_000, 8_000_000_000)]
)
def test_renamed_faces_that_their_time_does_not_tell_apart_are_read_again(
    tmp_path: Path, mtimes_ns: tuple[int, int]
) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    for name, frame, mtime_ns in zip("ab", ("1.png", "2.png"), mtimes_ns, strict=True):
        path = side.aligned / f"{name}.jpg"
        path.write_bytes(face_jpeg(source_filename=frame))
        os.utime(path, ns=(0, mtime_ns))
    bring_up_to_date(tmp_path)
    rename_all(side, {"a.jpg": "c.jpg", "b.jpg": "d.jpg"})
    assert bring_up_to_date(tmp_path) == ["c.jpg", "d.jpg"]
    assert {row.name: row.source_filename for row in rows(tmp_path)} == {
        "c.jpg": "1.png",
        "d.jpg": "2.png",
    }


def test_a_face_put_in_the_place_of_another_takes_its_own_numbers_along(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 3)
    bring_up_to_date(tmp_path)
    (side.aligned / "00002_0.jpg").replace(side.aligned / "00000_0.jpg")
    bring_up_to_date(tmp_path)
    found = {row.name: row.source_filename for row in rows(tmp_path)}
    assert found == {"00000_0.jpg": "00002.png", "00001_0.jpg": "00001.png"}


def rename_all(side: Side, names: dict[str, str]) -> None:
    """At once, as a sort does."""
    for old in names:
        (side.aligned / old).rename(side.aligned / f"{old}.waiting")
    for old, new in names.items():
        (side.aligned / f"{old}.waiting").rename(side.aligned / new)


def test_an_index_of_a_pack_tells_where_its_faces_lie(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    files = [face_jpeg(1), face_jpeg(2)]
    listed = [{"filename": "a.jpg"}, {"filename": "b.jpg"}]
    side.pack.write_bytes(pack(listed, files, absolute_end=False))
    bring_up_to_date(tmp_path)
    packed = side.pack.read_bytes()
    found = rows(tmp_path)
    places = [(row.pack_offset or 0, row.size_bytes) for row in found]
    assert [packed[start : start + size] for start, size in places] == files


def test_only_new_and_changed_files_are_read_again(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    names = make_faces(side, 4)
    assert bring_up_to_date(tmp_path) == names
    assert bring_up_to_date(tmp_path) == []
    (side.aligned / "00001_0.jpg").write_bytes(face_jpeg(99, source_filename="other.png"))
    (side.aligned / "00002_0.jpg").unlink()
    (side.aligned / "z.jpg").write_bytes(face_jpeg(7))
    assert bring_up_to_date(tmp_path) == ["00001_0.jpg", "z.jpg"]
    assert {row.name: row.source_filename for row in rows(tmp_path)} == {
        "00000_0.jpg": "00000.png",
        "00001_0.jpg": "other.png",
        "00003_0.jpg": "00003.png",
        "z.jpg": "00001.png",
    }


def test_files_that_are_no_faces_are_remembered_with_the_reason(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 1)
    (side.aligned / "plain.jpg").write_bytes(plain_jpeg())
    (side.aligned / "text.jpg").write_text("no picture")
    (side.aligned / "cut.jpg").write_bytes(face_jpeg()[:-20])
    (side.aligned / "circle.jpg").symlink_to("circle.jpg")
    bring_up_to_date(tmp_path)
    assert bring_up_to_date(tmp_path) == []
    with opened_index(index_path(Workspace(tmp_path), "dst")) as index:
        assert index is not None
        skipped = index.skipped()
    assert list(skipped) == ["cut.jpg", "plain.jpg", "text.jpg"]
    assert "no face metadata" in skipped["plain.jpg"]


def test_a_frame_whose_name_is_no_text_does_not_end_the_indexing(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 1)
    (side.aligned / "odd.jpg").write_bytes(face_jpeg(source_filename="a\ud800.png"))
    bring_up_to_date(tmp_path)
    assert {row.name: row.source_filename for row in rows(tmp_path)}["odd.jpg"] == "a?.png"


def test_packed_pictures_of_persons_that_are_no_faces_are_remembered_one_by_one(
    tmp_path: Path,
) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    listed = [{"filename": "a.jpg", "person_name": who} for who in ("ann", "bob", "cat")]
    files = [face_jpeg(1), plain_jpeg(), plain_jpeg(seed=3)]
    side.pack.write_bytes(pack(listed, files, absolute_end=True))
    assert bring_up_to_date(tmp_path) == ["a.jpg"] * 3
    assert bring_up_to_date(tmp_path) == []
    with opened_index(index_path(Workspace(tmp_path), "dst")) as index:
        assert index is not None
        assert list(index.skipped()) == ["bob/a.jpg", "cat/a.jpg"]


def test_a_packed_face_whose_name_is_no_text_is_left_out(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    listed = [{"filename": "a.jpg"}, {"filename": "b\udcff.jpg"}]
    side.pack.write_bytes(pack(listed, [face_jpeg(1), face_jpeg(2)], absolute_end=True))
    assert bring_up_to_date(tmp_path) == ["a.jpg"]
    assert [row.name for row in rows(tmp_path)] == ["a.jpg"]


@pytest.mark.parametrize("how", ["deleted", "garbage", "damaged inside"])
def test_an_index_that_is_lost_or_damaged_is_made_anew(tmp_path: Path, how: str) -> None:
    names = make_faces(Workspace(tmp_path).dst, 30)
    bring_up_to_date(tmp_path)
    path = index_path(Workspace(tmp_path), "dst")
    before = [row[1:] for row in rows(tmp_path)]
    if how == "deleted":
        path.unlink()
    elif how == "garbage":
        path.write_bytes(b"garbage" * 1000)
    else:
        content = bytearray(path.read_bytes())
        content[4096 * 3 :] = b"\x55" * (len(content) - 4096 * 3)
        path.write_bytes(content)
    assert bring_up_to_date(tmp_path) == names
    assert [row[1:] for row in rows(tmp_path)] == before


def test_what_a_killed_run_committed_is_not_read_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    names = make_faces(workspace.dst, 5)
    with IndexWriter(index_path(workspace, "dst")) as writer:
        files = writer.files_to_read(workspace.dst)
        writer.add(read_files(files[:2]))
    assert bring_up_to_date(tmp_path) == names[2:]


def test_packed_faces_are_indexed_and_a_new_pack_is_noticed(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    dicts = [
        {"filename": name, "person_name": who} for name, who in (("a.jpg", "x"), ("a.jpg", "y"))
    ]
    side.pack.write_bytes(pack(dicts, [face_jpeg(1), face_jpeg(2)], absolute_end=True))
    assert bring_up_to_date(tmp_path) == ["a.jpg", "a.jpg"]
    assert [(row.person_name, row.name) for row in rows(tmp_path)] == [
        ("x", "a.jpg"),
        ("y", "a.jpg"),
    ]
    assert bring_up_to_date(tmp_path) == []
    side.pack.write_bytes(pack(dicts[:1], [face_jpeg(3)], absolute_end=True))
    assert bring_up_to_date(tmp_path) == ["a.jpg"]
    side.pack.unlink()
    (side.aligned / "b.jpg").write_bytes(face_jpeg())
    assert bring_up_to_date(tmp_path) == ["b.jpg"]
    assert [row.name for row in rows(tmp_path)] == ["b.jpg"]


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "600k") as disk,
        pytest.raises(InputError, match="cannot write the index"),
    ):
        generated_index(index_path(Workspace(disk), "dst"), 2000)
