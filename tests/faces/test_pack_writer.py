"""Packs as DeepFaceLab's Python reads them: same list, same faces, never half of one."""

from __future__ import annotations

import enum
import json
import pickle
import struct
import sys
import tracemalloc
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_file import LARGEST_FILE_BYTES, encode_face_jpeg
from engine.faces.faceset import open_faceset
from engine.faces.faceset_pack import read_pack_list
from engine.faces.pack_writer import FaceToPack, write_pack
from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import InputError, Stopped
from tests.faces.face_files import face_data, labels, picture, plain_jpeg
from tests.support.disks import small_disk
from tests.support.shared import shared_path


def quiet(done: int, total: int) -> None:
    """Tells nobody."""


def write_faces(folder: Path, count: int, size_px: int = 64) -> list[FaceToPack]:
    faces = []
    for number in range(1, count + 1):
        path = folder / f"{number:05d}_0.jpg"
        data = face_data(source_filename=f"{number:05d}.png")
        path.write_bytes(encode_face_jpeg(picture(size_px, number), 80, data))
        faces.append(FaceToPack(path))
    return faces


def parts(pack: Path) -> tuple[bytes, tuple[int, ...], bytes]:
    """The pickled list, the offsets, and the face files of a pack."""
    data = pack.read_bytes()
    version, list_bytes = struct.unpack_from("<QQ", data)
    assert version == 1
    listing = data[16 : 16 + list_bytes]
    count = len(decode_pickle(listing)) + 1
    table = struct.unpack_from(f"<{count}Q", data, 16 + list_bytes)
    return listing, table, data[16 + list_bytes + 8 * count :]


@pytest.fixture
def dfl_classes(monkeypatch: pytest.MonkeyPatch) -> tuple[type, type]:
    """Stand-ins for the two enumerations that a pack's list names."""
    numbers = {"HALF": 0, "MID_FULL": 1, "FULL": 2, "FULL_NO_ALIGN": 3, "WHOLE_FACE": 4, "HEAD": 10}
    face_type = enum.IntEnum("FaceType", numbers)
    sample_type = enum.IntEnum("SampleType", {"IMAGE": 0, "FACE": 1})
    for module, kind in (("facelib.FaceType", face_type), ("samplelib.Sample", sample_type)):
        made = types.ModuleType(module)
        setattr(made, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, module.partition(".")[0], types.ModuleType("package"))
        monkeypatch.setitem(sys.modules, module, made)
    return face_type, sample_type


def test_pythons_own_unpickler_reads_the_list_as_deepfacelab_needs_it(
    tmp_path: Path, dfl_classes: tuple[type, type]
) -> None:
    mask = bytes_from_mask(np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64))
    data = face_data(seg_ie_polys=labels(), xseg_mask_compressed=mask, eyebrows_expand_mod=1.5)
    (tmp_path / "a.jpg").write_bytes(encode_face_jpeg(picture()[:48], 80, data))
    faces = [FaceToPack(tmp_path / "a.jpg", "ann"), *write_faces(tmp_path, 1)]
    write_pack(tmp_path / "faceset.pak", faces, quiet)
    rows: list[dict[str, Any]] = pickle.loads(parts(tmp_path / "faceset.pak")[0])
    face_type, sample_type = dfl_classes
    assert rows[0]["face_type"] is face_type(4)
    assert rows[0]["sample_type"] is sample_type(1)
    assert rows[0]["shape"] == (48, 64, 3)
    assert rows[0]["xseg_mask"] is None
    assert rows[0]["xseg_mask_compressed"].tobytes() == mask
    assert [poly["type"] for poly in rows[0]["seg_ie_polys"]["polys"]] == [1, 0]
    assert (rows[0]["filename"], rows[0]["person_name"]) == ("a.jpg", "ann")
    assert rows[0]["eyebrows_expand_mod"] == 1.5
    assert rows[0]["source_filename"] == "00001.png"
    np.testing.assert_array_equal(rows[0]["landmarks"], data.landmarks)
    assert rows[1]["seg_ie_polys"] == {"polys": []}
    assert rows[1]["xseg_mask_compressed"] is None
    assert (rows[1]["person_name"], rows[1]["eyebrows_expand_mod"]) == (None, 1.0)


@pytest.mark.parametrize("folder", ["pak5", "pak_person"])
def test_deepfacelabs_faces_give_the_pack_that_it_made_of_them(folder: str, tmp_path: Path) -> None:
    root = shared_path("golden", "dflimg", folder)
    expected = json.loads(shared_path("golden", "dflimg", f"expected_{folder}.json").read_text())
    faces = [
        FaceToPack(root / (row["person_name"] or "") / row["filename"], row["person_name"])
        for row in expected
    ]
    write_pack(tmp_path / "faceset.pak", faces, quiet)
    ours, theirs = parts(tmp_path / "faceset.pak"), parts(root / "faceset.pak")
    for row, wanted in zip(decode_pickle(ours[0]), decode_pickle(theirs[0]), strict=True):
        assert row.keys() == wanted.keys()
        for key in row:
            np.testing.assert_equal(row[key], wanted[key], err_msg=key)
    assert ours[2] == theirs[2]
    # All offsets count from the end of the table; DeepFaceLab's last one from the file's start.
    data_start = 16 + len(theirs[0]) + 8 * len(theirs[1])
    assert ours[1] == (*theirs[1][:-1], theirs[1][-1] - data_start)


def test_a_pack_is_read_back_with_every_face_as_it_was(tmp_path: Path) -> None:
    faces = write_faces(tmp_path, 5)
    outcome = write_pack(tmp_path / "faceset.pak", faces, quiet)
    assert outcome.packed == tuple(faces)
    entries = open_faceset(tmp_path)
    assert [entry.name for entry in entries] == [face.path.name for face in faces]
    assert [entry.read_jpeg() for entry in entries] == [face.path.read_bytes() for face in faces]
    assert [entry.data.source_filename for entry in entries] == [
        f"{number:05d}.png" for number in range(1, 6)
    ]


def test_pictures_that_are_no_faces_are_left_out_and_told(tmp_path: Path) -> None:
    faces = write_faces(tmp_path, 2)
    (tmp_path / "photo.jpg").write_bytes(plain_jpeg())
    (tmp_path / "half.jpg").write_bytes(faces[0].path.read_bytes()[:-100])
    (tmp_path / "back\\slash.jpg").write_bytes(faces[0].path.read_bytes())
    bad = [FaceToPack(tmp_path / name) for name in ("photo.jpg", "half.jpg", "back\\slash.jpg")]
    outcome = write_pack(tmp_path / "faceset.pak", [bad[0], faces[0], *bad[1:], faces[1]], quiet)
    assert outcome.packed == tuple(faces)
    assert [face for face, reason in outcome.left_out if reason] == bad
    assert [face.name for face in read_pack_list(tmp_path / "faceset.pak")] == [
        face.path.name for face in faces
    ]


def test_nothing_but_other_pictures_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(plain_jpeg())
    with pytest.raises(InputError, match="no face metadata"):
        write_pack(tmp_path / "faceset.pak", [FaceToPack(tmp_path / "photo.jpg")], quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_face_that_changes_meanwhile_is_noticed_and_the_earlier_pack_stays(
    tmp_path: Path,
) -> None:
    faces = write_faces(tmp_path, 3)
    write_pack(tmp_path / "faceset.pak", faces[:1], quiet)
    earlier = (tmp_path / "faceset.pak").read_bytes()

    def change(done: int, total: int) -> None:
        if done == 3:
            data = bytearray(faces[2].path.read_bytes())
            data[-10] ^= 1
            faces[2].path.write_bytes(data)

    with pytest.raises(InputError, match=r"00003_0\.jpg changed"):
        write_pack(tmp_path / "faceset.pak", faces, change)
    assert (tmp_path / "faceset.pak").read_bytes() == earlier


@pytest.mark.parametrize("when", [0, 2, 5])
def test_stopping_leaves_neither_a_pack_nor_half_of_one(when: int, tmp_path: Path) -> None:
    faces = write_faces(tmp_path, 3)

    def stop(done: int, total: int) -> None:
        if done == when:
            raise Stopped

    with pytest.raises(Stopped):
        write_pack(tmp_path / "faceset.pak", faces, stop)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_full_disk_is_told_and_leaves_the_earlier_pack(tmp_path: Path) -> None:
    faces = write_faces(tmp_path, 60, size_px=256)
    with small_disk(tmp_path / "disk", "256k") as disk:
        write_pack(disk / "faceset.pak", faces[:1], quiet)
        earlier = (disk / "faceset.pak").read_bytes()
        with pytest.raises(InputError) as refusal:
            write_pack(disk / "faceset.pak", faces, quiet)
        assert refusal.value.code == "disk-full"
        assert (disk / "faceset.pak").read_bytes() == earlier
        assert [path.name for path in disk.iterdir()] == ["faceset.pak"]


def test_the_faces_are_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "big.jpg").write_bytes(
        encode_face_jpeg(picture(64), 80, face_data()) + bytes(1_000_000)
    )
    faces = [FaceToPack(tmp_path / "big.jpg", f"p{number:03d}") for number in range(150)]
    tracemalloc.start()
    write_pack(tmp_path / "faceset.pak", faces, quiet)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "faceset.pak").stat().st_size > 150_000_000
    assert peak_bytes < LARGEST_FILE_BYTES + 5_000_000  # reading sets room aside for the largest
