from __future__ import annotations

import hashlib
import json
import pickle
import struct
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.face_file import encode_face_jpeg, read_face_data
from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.faces.faceset_pack import read_pack_list
from engine.protocol.errors import InputError, Stopped
from tests.faces.face_files import face_data, jpeg_with, pack, picture, plain_jpeg
from tests.faces.test_restricted_pickle import hostile_values
from tests.stages.killing import folder_in_memory
from tests.support.shared import shared_path


def face(seed: int = 0) -> bytes:
    return encode_face_jpeg(picture(seed=seed), 80, face_data(source_filename=f"{seed:05d}.png"))


def row(name: str, **fields: Any) -> dict[str, Any]:
    return {"filename": name, "person_name": None, "face_type": 4, "sample_type": 1} | fields


def test_loose_faces_come_sorted_by_name_and_other_pictures_are_listed(tmp_path: Path) -> None:
    (tmp_path / "00002_0.jpg").write_bytes(face(2))
    (tmp_path / "00001_0.JPG").write_bytes(face(1))
    (tmp_path / "00003_0.jpeg").write_bytes(face(3))
    (tmp_path / "photo.jpg").write_bytes(plain_jpeg())
    (tmp_path / "broken.jpg").write_bytes(face()[:500])
    (tmp_path / "frame.png").write_bytes(cv2.imencode(".png", picture())[1].tobytes())
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden.jpg").write_bytes(face())
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    faces = open_faceset(tmp_path)
    assert [entry.name for entry in faces] == ["00001_0.JPG", "00002_0.jpg", "00003_0.jpeg"]
    assert [entry.data.source_filename for entry in faces] == [f"{i:05d}.png" for i in (1, 2, 3)]
    assert faces[1].read_jpeg() == face(2)
    assert faces[1].path == tmp_path / "00002_0.jpg"
    assert faces[1].person_name is None
    assert [name for name, _ in faces.skipped] == ["broken.jpg", "frame.png", "photo.jpg"]
    assert all(reason for _, reason in faces.skipped)


def test_a_hostile_file_among_faces_is_listed_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "a.jpg").write_bytes(jpeg_with(pickle.dumps(hostile_values(marker)["system"])))
    (tmp_path / "b.jpg").write_bytes(face())
    faces = open_faceset(tmp_path)
    assert [entry.name for entry in faces] == ["b.jpg"]
    assert [name for name, _ in faces.skipped] == ["a.jpg"]
    assert not marker.exists()


def test_an_empty_folder_is_an_empty_faceset_and_a_missing_one_an_error(tmp_path: Path) -> None:
    assert len(open_faceset(tmp_path)) == 0
    with pytest.raises(InputError, match="nowhere"):
        open_faceset(tmp_path / "nowhere")


def test_a_pack_of_any_name_is_a_faceset_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "people.pak"
    path.write_bytes(pack([row("a.jpg"), row("b.jpg")], [face(1), face(2)], absolute_end=True))
    (tmp_path / "loose.jpg").write_bytes(face(3))
    assert [entry.name for entry in open_faceset(path)] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("absolute_end", [True, False])
def test_packs_of_both_forms_are_read_and_come_before_loose_files(
    absolute_end: bool, tmp_path: Path
) -> None:
    files = [face(1), face(2)]
    rows = [row("b.jpg", person_name="ann"), row("a.jpg")]
    (tmp_path / "faceset.pak").write_bytes(pack(rows, files, absolute_end=absolute_end))
    (tmp_path / "loose.jpg").write_bytes(face(3))
    faces = open_faceset(tmp_path)
    assert [(entry.name, entry.person_name) for entry in faces] == [
        ("b.jpg", "ann"),
        ("a.jpg", None),
    ]
    assert [entry.read_jpeg() for entry in faces] == files
    assert [entry.data.source_filename for entry in faces] == ["00001.png", "00002.png"]
    assert faces[0].path is None


@pytest.mark.parametrize(("last", "sizes"), [("absolute", (10, 20)), ("relative", (10, 20))])
def test_the_offset_table_of_a_pack_is_read_in_both_forms(
    last: str, sizes: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "faceset.pak"
    files = [b"x" * size for size in sizes]
    path.write_bytes(pack([row("a"), row("b")], files, absolute_end=last == "absolute"))
    packed = read_pack_list(path)
    assert [entry.size_bytes for entry in packed] == list(sizes)
    assert [entry.read_jpeg() for entry in packed] == files


def test_the_face_type_comes_from_the_face_as_old_packs_number_types_differently(
    tmp_path: Path,
) -> None:
    old = pack([row("a.jpg", face_type=10)], [face()], absolute_end=True)
    (tmp_path / "faceset.pak").write_bytes(old)
    assert open_faceset(tmp_path)[0].data.face_type is FaceType.WHOLE_FACE


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_an_old_pack_whose_list_holds_whole_masks_is_read(protocol: int, tmp_path: Path) -> None:
    masks = (np.full((512, 512, 1), value, np.float32) for value in (0, 1))
    rows = [row(f"{name}.jpg", xseg_mask=mask) for name, mask in zip("ab", masks, strict=True)]
    listing = pickle.dumps(rows, protocol)
    files = [face(1), face(2)]
    table = struct.pack("<QQQ", 0, len(files[0]), sum(map(len, files)))
    header = struct.pack("<QQ", 1, len(listing))
    (tmp_path / "faceset.pak").write_bytes(b"".join((header, listing, table, *files)))
    faces = open_faceset(tmp_path)
    assert [entry.name for entry in faces] == ["a.jpg", "b.jpg"]
    assert [entry.read_jpeg() for entry in faces] == files


def test_a_packed_picture_without_metadata_is_listed(tmp_path: Path) -> None:
    mixed = pack([row("a.jpg"), row("b.jpg")], [plain_jpeg(), face()], absolute_end=True)
    (tmp_path / "faceset.pak").write_bytes(mixed)
    faces = open_faceset(tmp_path)
    assert [entry.name for entry in faces] == ["b.jpg"]
    assert [name for name, _ in faces.skipped] == ["a.jpg"]


def broken_packs() -> dict[str, bytes]:
    good = pack([row("a.jpg"), row("b.jpg")], [face(1), face(2)], absolute_end=True)
    list_bytes = struct.unpack_from("<Q", good, 8)[0]
    table = 16 + list_bytes

    def with_offset(index: int, value: int) -> bytes:
        changed = bytearray(good)
        struct.pack_into("<Q", changed, table + 8 * index, value)
        return bytes(changed)

    def named(name: Any) -> bytes:
        return pack([row(name)], [face()], absolute_end=True)

    def listing(value: bytes) -> bytes:
        return struct.pack("<QQ", 1, len(value)) + value + struct.pack("<QQ", 0, 1) + b"x"

    return {
        "empty": b"",
        "short header": good[:12],
        "version 2": struct.pack("<Q", 2) + good[8:],
        "list longer than the file": good[:8] + struct.pack("<Q", 2**63) + good[16:],
        "list of a gigabyte": good[:8] + struct.pack("<Q", 2**30) + good[16:],
        "cut in the list": good[:100],
        "cut in the table": good[: table + 9],
        "offset beyond the file": with_offset(1, 2**40),
        "offset at the end of numbers": with_offset(0, 2**64 - 1),
        "offsets backwards": with_offset(1, 0),
        "no list": listing(pickle.dumps({"a": 1})),
        "list of numbers": listing(pickle.dumps([1])),
        "no names": listing(pickle.dumps([{}])),
        "name that leads out": named("../../etc/passwd"),
        "absolute name": named("/etc/passwd"),
        "backslashes": named("..\\a.jpg"),
        "name of the parent": named(".."),
        "empty name": named(""),
        "name with a zero": named("a\0.jpg"),
        "endless name": named("a" * 5000),
        "name that is a number": named(7),
        "person that leads out": pack([row("a", person_name="../x")], [face()], absolute_end=True),
    }


@pytest.mark.parametrize("name", broken_packs())
def test_a_damaged_or_hostile_pack_is_refused_with_its_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "faceset.pak").write_bytes(broken_packs()[name])
    with pytest.raises(InputError, match=r"faceset\.pak") as refusal:
        open_faceset(tmp_path)
    assert refusal.value.remedy


def test_a_packed_face_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "faceset.pak"
    path.write_bytes(pack([row("a.jpg")], [b"x"], absolute_end=False))
    listed = struct.unpack_from("<Q", path.read_bytes(), 8)[0]
    with path.open("r+b") as file:
        file.seek(16 + listed + 8)  # where the only face ends
        file.write(struct.pack("<Q", 2**28))
        file.truncate(2**28 + 16 + listed + 16)  # sparse: takes no room on the disk
    (face_in_pack,) = read_pack_list(path)
    assert face_in_pack.size_bytes == 2**28
    with pytest.raises(InputError, match="more than any face file"):
        face_in_pack.read_jpeg()


def test_a_list_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "faceset.pak"
    path.write_bytes(struct.pack("<QQ", 1, 2**30))
    with path.open("r+b") as file:
        file.truncate(2**31)  # sparse: takes no room on the disk
    with pytest.raises(InputError, match="claims"):
        open_faceset(tmp_path)


@pytest.mark.parametrize("name", ["system", "eval", "nested", "array_of_objects"])
def test_a_pack_whose_list_is_a_program_is_refused_and_not_run(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    listing = pickle.dumps([row("a.jpg", landmarks=hostile_values(marker)[name])])
    header = struct.pack("<QQ", 1, len(listing))
    table = struct.pack("<QQ", 0, len(face()))
    (tmp_path / "faceset.pak").write_bytes(header + listing + table + face())
    with pytest.raises(InputError) as refusal:
        open_faceset(tmp_path)
    assert refusal.value.code == "unsafe-data"
    assert not marker.exists()


def test_opening_many_faces_obeys_a_stop_after_few_more(tmp_path: Path) -> None:
    (tmp_path / "00000.jpg").write_bytes(face())
    for number in range(1, 3000):
        (tmp_path / f"{number:05d}.jpg").hardlink_to(tmp_path / "00000.jpg")
    asked = 0

    def check_stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 300:
            raise Stopped

    with pytest.raises(Stopped):
        open_faceset(tmp_path, check_stop)
    assert asked == 300


@pytest.mark.slow
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_stop_ends_the_opening_of_a_hundred_thousand_faces_within_two_seconds_of_work(
    is_packed: bool, tmp_path: Path
) -> None:
    with folder_in_memory(tmp_path) as folder:
        if is_packed:
            rows = [row(f"{number:06d}.jpg") for number in range(100_000)]
            made = pack(rows, [b"x"] * len(rows), absolute_end=False)
            (folder / "faceset.pak").write_bytes(made)
        else:
            (folder / "000000.jpg").write_bytes(face())
            for number in range(1, 100_000):
                (folder / f"{number:06d}.jpg").hardlink_to(folder / "000000.jpg")
        stop_at = time.process_time() + 1

        def check_stop() -> None:
            if time.process_time() > stop_at:
                raise Stopped

        with pytest.raises(Stopped):
            open_faceset(folder, check_stop)
        assert time.process_time() < stop_at + 2


@pytest.mark.parametrize("folder", ["pak5", "pak_person"])
def test_deepfacelabs_packs_are_read_to_their_content(folder: str) -> None:
    root = shared_path("golden", "dflimg", folder)
    expected = json.loads(shared_path("golden", "dflimg", f"expected_{folder}.json").read_text())
    faces = open_faceset(root)
    assert not faces.skipped
    assert len(faces) == len(expected)
    for entry, wanted in zip(faces, expected, strict=True):
        jpeg = entry.read_jpeg()
        assert (entry.name, entry.person_name) == (wanted["filename"], wanted["person_name"])
        assert (len(jpeg), hashlib.sha256(jpeg).hexdigest()) == (wanted["bytes"], wanted["sha256"])
        assert entry.data.face_type.pak_number == wanted["face_type"]
        assert entry.data.source_filename == wanted["source_filename"]
        assert entry.data.eyebrows_expand_mod == wanted["eyebrows_expand_mod"]
        np.testing.assert_array_equal(entry.data.landmarks, wanted["landmarks"])
        assert len(entry.data.seg_ie_polys) == len(wanted["seg_ie_polys"])
        loose = root / (entry.person_name or "") / entry.name
        assert jpeg == loose.read_bytes()


def test_the_reference_faceset_is_read_and_its_ordinary_pictures_listed() -> None:
    faces = open_faceset(shared_path("golden", "sort", "faceset"))
    assert len(faces) == 44
    assert len(faces.skipped) == 2
    path = faces[0].path
    assert path is not None
    assert read_face_data(path) is not None
