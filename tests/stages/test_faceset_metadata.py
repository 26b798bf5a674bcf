"""Metadata out of the faces and back, as DeepFaceLab does it, with nothing replaced unasked."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.face_data import FaceData, dict_from_data
from engine.faces.face_file import encode_face_jpeg, read_face_data, replace_face_data
from engine.faces.metadata_file import SavedFace, read_metadata, write_metadata
from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.stages.faceset_metadata_restore.run import restore_metadata
from tests.faces.face_files import face_data, labels, picture, plain_jpeg
from tests.faces.test_restricted_pickle import hostile_values
from tests.stages.packing import (
    face_bytes,
    loose,
    pictures,
    run_stage,
    some_faces,
    start,
    trashed,
    workspace,
)
from tests.support.context import context_for
from tests.support.shared import shared_path
from tests.support.tree import tree


def metadata(source: Path | bytes) -> bytes | None:
    data: FaceData | None = read_face_data(source)
    return None if data is None else dfl_pickle(dict_from_data(data))


def rich_face(seed: int) -> bytes:
    mask = bytes_from_mask(np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64))
    return face_bytes(seed, seg_ie_polys=labels(), xseg_mask_compressed=mask)


def test_saving_writes_what_pythons_unpickler_reads_as_sizes_and_dicts(tmp_path: Path) -> None:
    marked = encode_face_jpeg(picture()[:48], 80, face_data())  # a frame, as "mark_only" has it
    faces = {"a.jpg": rich_face(1), "b.jpg": face_bytes(2, size_px=96), "c.jpg": marked}
    aligned = workspace(tmp_path, faces)
    context = run_stage(tmp_path, "faceset-metadata-save")
    saved: dict[str, Any] = pickle.loads((aligned / "meta.dat").read_bytes())
    assert list(saved) == ["a.jpg", "b.jpg", "c.jpg"]
    assert [entry[0] for entry in saved.values()] == [(64, 64, 3), (96, 96, 3), (48, 64, 3)]
    assert all(type(entry) is tuple for entry in saved.values())
    for name, (_, fields) in saved.items():
        assert dfl_pickle(fields) == metadata(aligned / name)
    assert context.facts["faces"] == 3


def test_deepfacelabs_faces_give_the_metadata_file_that_it_made_of_them(tmp_path: Path) -> None:
    golden = shared_path("golden", "dflimg", "pak5")
    aligned = workspace(tmp_path, {p.name: p.read_bytes() for p in golden.glob("*.jpg")})
    run_stage(tmp_path, "faceset-metadata-save")
    ours = decode_pickle((aligned / "meta.dat").read_bytes())
    theirs = decode_pickle((golden / "meta.dat").read_bytes())
    assert list(ours) == list(theirs)
    for name, (shape, fields) in theirs.items():
        assert ours[name][0] == shape
        for polygons in (fields.get("seg_ie_polys"), ours[name][1].get("seg_ie_polys")):
            if polygons:  # we keep inclusions before exclusions; painting does the same
                polygons["polys"].sort(key=lambda polygon: -polygon["type"])
        np.testing.assert_equal(ours[name][1], fields)


def test_the_sidecar_says_the_same_to_people_without_pictures(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {"a.jpg": rich_face(1), "b.jpg": face_bytes(2)})
    run_stage(tmp_path, "faceset-metadata-save")
    text = (aligned / "faceset-metadata.json").read_text()
    first = json.loads(text)["faces"]["a.jpg"]
    data = read_face_data(aligned / "a.jpg")
    assert data is not None
    assert (first["height"], first["width"], first["face_type"]) == (64, 64, "whole_face")
    np.testing.assert_array_equal(first["landmarks"], data.landmarks)
    assert first["source_filename"] == "00001.png"
    assert [polygon["type"] for polygon in first["seg_ie_polys"]["polys"]] == [1, 0]
    assert first["applied_mask_bytes"] == len(data.xseg_mask_compressed or b"")
    assert "xseg_mask" not in first
    assert len(text.splitlines()) == 4  # a face a line


def test_saving_again_needs_a_confirmation_and_keeps_the_earlier_file(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(2))
    run_stage(tmp_path, "faceset-metadata-save")
    earlier = (aligned / "meta.dat").read_bytes()
    (aligned / "00002_0.jpg").unlink()
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, "faceset-metadata-save")
    assert (aligned / "meta.dat").read_bytes() == earlier
    run_stage(tmp_path, "faceset-metadata-save", confirmed=True)
    assert list(decode_pickle((aligned / "meta.dat").read_bytes())) == ["00001_0.jpg"]
    assert trashed(tmp_path, "meta.dat") == [earlier]


def test_other_pictures_are_told_and_a_folder_of_nothing_else_refused(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {"a.jpg": face_bytes(1), "photo.jpg": plain_jpeg()})
    context = run_stage(tmp_path, "faceset-metadata-save")
    assert context.facts["left_out"] == 1
    assert all(context.remedies)
    (aligned / "a.jpg").unlink()
    (aligned / "meta.dat").unlink()
    with pytest.raises(InputError, match="none of the 1 pictures is a face"):
        run_stage(tmp_path, "faceset-metadata-save")
    assert not (aligned / "meta.dat").exists()


def test_edited_pictures_get_their_metadata_back_without_being_encoded_again(
    tmp_path: Path,
) -> None:
    faces = {"a.jpg": rich_face(1), "b.jpg": face_bytes(2)}
    aligned = workspace(tmp_path, faces)
    run_stage(tmp_path, "faceset-metadata-save")
    edited = {name: plain_jpeg(seed=seed) for seed, name in enumerate(faces, start=5)}
    workspace(tmp_path, edited)
    context = run_stage(tmp_path, "faceset-metadata-restore")
    for name, original in faces.items():
        assert metadata(aligned / name) == metadata(original)
        assert replace_face_data((aligned / name).read_bytes(), None) == edited[name]
    assert not (aligned / "meta.dat").exists()
    assert not (aligned / "faceset-metadata.json").exists()
    assert len(trashed(tmp_path, "meta.dat")) == 1
    assert (context.facts["restored"], context.facts["resized"]) == (2, 0)


def test_metadata_that_deepfacelab_saved_is_restored(tmp_path: Path) -> None:
    golden = shared_path("golden", "dflimg", "pak5")
    aligned = workspace(tmp_path, {})
    for path in golden.glob("*.jpg"):
        (aligned / path.name).write_bytes(replace_face_data(path.read_bytes(), None))
    shutil.copyfile(golden / "meta.dat", aligned / "meta.dat")
    context = run_stage(tmp_path, "faceset-metadata-restore")
    assert context.facts["restored"] == 5
    for path in golden.glob("*.jpg"):
        assert metadata(aligned / path.name) == metadata(path)


def test_pictures_of_another_size_are_brought_to_the_saved_one_and_kept_in_the_trash(
    tmp_path: Path,
) -> None:
    aligned = workspace(tmp_path, {"a.jpg": face_bytes(1), "b.jpg": face_bytes(2)})
    run_stage(tmp_path, "faceset-metadata-save")
    larger = plain_jpeg(cv2.IMWRITE_JPEG_QUALITY, 95, size_px=160, seed=1)
    (aligned / "a.jpg").write_bytes(larger)
    before = tree(aligned)
    with pytest.raises(ConfirmationNeeded, match="1 would be resized"):
        run_stage(tmp_path, "faceset-metadata-restore")
    assert tree(aligned) == before
    run_stage(tmp_path, "faceset-metadata-restore", confirmed=True)
    image = cv2.imread(str(aligned / "a.jpg"))
    assert image.shape == (64, 64, 3)
    assert np.abs(image.astype(int) - picture(64, 1)).mean() < 3
    assert metadata(aligned / "a.jpg") == metadata(face_bytes(1))
    assert trashed(tmp_path, "a.jpg") == [larger]
    assert trashed(tmp_path, "b.jpg") == []


def test_faces_that_were_sorted_since_do_not_get_each_others_metadata(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(3))
    run_stage(tmp_path, "faceset-metadata-save")
    first, second = (aligned / "00001_0.jpg").read_bytes(), (aligned / "00002_0.jpg").read_bytes()
    (aligned / "00001_0.jpg").write_bytes(second)
    (aligned / "00002_0.jpg").write_bytes(first)
    edited = replace_face_data((aligned / "00003_0.jpg").read_bytes(), None)
    (aligned / "00003_0.jpg").write_bytes(edited)
    context = run_stage(tmp_path, "faceset-metadata-restore", confirmed=True)
    assert (aligned / "00001_0.jpg").read_bytes() == second
    assert (aligned / "00002_0.jpg").read_bytes() == first
    assert metadata(aligned / "00003_0.jpg") == metadata(face_bytes(3))
    assert (context.facts["misnamed"], context.facts["restored"]) == (2, 1)
    assert (aligned / "meta.dat").is_file()
    assert any("holds what was saved as '00002_0.jpg'" in text for text in context.warnings)


def test_a_copy_that_lost_its_labels_gets_them_back(tmp_path: Path) -> None:
    plain, copy = face_bytes(1), face_bytes(1, seg_ie_polys=labels())
    aligned = workspace(tmp_path, {"a.jpg": plain, "b.jpg": copy})
    run_stage(tmp_path, "faceset-metadata-save")
    (aligned / "b.jpg").write_bytes(plain)
    run_stage(tmp_path, "faceset-metadata-restore", confirmed=True)
    assert loose(aligned) == {"a.jpg": plain, "b.jpg": copy}


def test_resizing_is_shared_by_processes_and_counted_where_it_succeeds(tmp_path: Path) -> None:
    faces = {"a.jpg": face_bytes(1), "b.jpg": face_bytes(2)}
    aligned = workspace(tmp_path, faces)
    run_stage(tmp_path, "faceset-metadata-save")
    (aligned / "a.jpg").write_bytes(plain_jpeg(size_px=160))
    broken = bytearray(plain_jpeg(size_px=160))
    broken[broken.index(b"\xff\xdb") + 4] = 0xFF  # a quantisation table that no decoder knows
    (aligned / "b.jpg").write_bytes(bytes(broken))
    context = context_for(tmp_path, "faceset-metadata-restore", confirmed=True, workers="2")
    asked: list[int] = []

    def in_this_process(
        function: Callable[[Any], Any], items: Iterable[Any], *, processes: int
    ) -> Iterator[Any]:
        asked.append(processes)
        return map(function, items)

    context.map_in_processes = in_this_process
    start(context, "faceset-metadata-restore")
    assert asked == [2]
    facts = {"restored": 1, "resized": 1, "failed": 1}
    assert {name: context.facts[name] for name in facts} == facts
    assert (aligned / "b.jpg").read_bytes() == bytes(broken)


def test_metadata_that_changed_since_is_replaced_only_with_a_confirmation(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {"a.jpg": face_bytes(1)})
    run_stage(tmp_path, "faceset-metadata-save")
    (aligned / "a.jpg").write_bytes(rich_face(1))
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, "faceset-metadata-restore")
    run_stage(tmp_path, "faceset-metadata-restore", confirmed=True)
    assert (aligned / "a.jpg").read_bytes() == face_bytes(1)
    assert trashed(tmp_path, "a.jpg") == [rich_face(1)]


def test_faces_without_entry_and_entries_without_face_are_told(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(3))
    run_stage(tmp_path, "faceset-metadata-save")
    (aligned / "00001_0.jpg").unlink()
    (aligned / "new.jpg").write_bytes(plain_jpeg())
    (aligned / "00002_0.jpg").write_bytes(plain_jpeg())
    context = run_stage(tmp_path, "faceset-metadata-restore")
    assert any("new.jpg" in text for text in context.warnings)
    assert any("00001_0.jpg" in text for text in context.warnings)
    assert (context.facts["without_entry"], context.facts["entries_without_face"]) == (1, 1)
    assert (aligned / "new.jpg").read_bytes() == plain_jpeg()
    assert not (aligned / "meta.dat").exists()


def test_other_names_than_were_saved_are_refused_and_the_file_stays(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(2))
    run_stage(tmp_path, "faceset-metadata-save")
    for path in list(aligned.glob("*.jpg")):
        path.rename(path.with_name(f"other-{path.name}"))
    before = tree(aligned)
    with pytest.raises(InputError, match="none of the 2 faces"):
        run_stage(tmp_path, "faceset-metadata-restore")
    assert tree(aligned) == before


def test_what_cannot_be_restored_is_told_and_keeps_the_saved_metadata(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(2))
    run_stage(tmp_path, "faceset-metadata-save")
    (aligned / "00001_0.jpg").write_bytes(plain_jpeg()[:-40])
    (aligned / "00002_0.jpg").write_bytes(plain_jpeg())
    context = run_stage(tmp_path, "faceset-metadata-restore")
    assert (context.facts["restored"], context.facts["failed"]) == (1, 1)
    assert (aligned / "meta.dat").exists()
    assert (aligned / "00001_0.jpg").read_bytes() == plain_jpeg()[:-40]


def test_an_entry_that_is_no_faces_is_told_and_the_others_restored(tmp_path: Path) -> None:
    data = read_face_data(face_bytes(1))
    assert data is not None
    good = ((64, 64, 3), dict_from_data(data))
    aligned = workspace(tmp_path, {"a.jpg": plain_jpeg(), "b.jpg": plain_jpeg(seed=2)})
    (aligned / "meta.dat").write_bytes(dfl_pickle({"a.jpg": good, "b.jpg": ((1 << 40, 1, 3), {})}))
    context = run_stage(tmp_path, "faceset-metadata-restore")
    assert metadata(aligned / "a.jpg") == metadata(face_bytes(1))
    assert (aligned / "b.jpg").read_bytes() == plain_jpeg(seed=2)
    assert context.facts["failed"] == 1
    assert (aligned / "meta.dat").exists()


@pytest.mark.parametrize("name", ["system", "eval", "nested", "array_of_objects"])
def test_a_metadata_file_that_is_a_program_is_refused_and_not_run(
    name: str, tmp_path: Path
) -> None:
    aligned = workspace(tmp_path, some_faces(1))
    marker = tmp_path / "ran"
    hostile = {"00001_0.jpg": ((64, 64, 3), hostile_values(marker)[name])}
    (aligned / "meta.dat").write_bytes(pickle.dumps(hostile))
    with pytest.raises(InputError) as refusal:
        run_stage(tmp_path, "faceset-metadata-restore", confirmed=True)
    assert refusal.value.code == "unsafe-data"
    assert not marker.exists()
    assert loose(aligned) == some_faces(1)


@pytest.mark.parametrize("content", [b"", b"nonsense", dfl_pickle({"a": 1})[:-3]])
def test_a_damaged_metadata_file_is_refused(content: bytes, tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(1))
    (aligned / "meta.dat").write_bytes(content)
    with pytest.raises(InputError, match=r"meta\.dat"):
        run_stage(tmp_path, "faceset-metadata-restore", confirmed=True)


def test_a_metadata_file_of_more_than_any_faceset_needs_is_not_read(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(1))
    with (aligned / "meta.dat").open("wb") as file:
        file.truncate(1 << 30)  # sparse: takes no room on the disk
    with pytest.raises(InputError, match="at most 536870912 are read") as refusal:
        run_stage(tmp_path, "faceset-metadata-restore", confirmed=True)
    assert refusal.value.code == "too-large"
    assert "fewer faces" in refusal.value.remedy


def test_reading_saved_metadata_obeys_a_stop(tmp_path: Path) -> None:
    data = read_face_data(face_bytes(1))
    assert data is not None
    write_metadata(tmp_path, ((f"{n}.jpg", SavedFace((64, 64), data)) for n in range(50)))
    asked = 0

    def check_stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 20:
            raise Stopped

    with pytest.raises(Stopped):
        read_metadata(tmp_path / "meta.dat", check_stop)
    assert asked == 20


def test_a_packed_faceset_is_to_be_unpacked_first(tmp_path: Path) -> None:
    workspace(tmp_path, some_faces(1))
    run_stage(tmp_path, "faceset-pack")
    for stage in ("faceset-metadata-save", "faceset-recover-names"):
        with pytest.raises(InputError) as refusal:
            run_stage(tmp_path, stage)
        assert "faceset-unpack" in refusal.value.remedy


def test_a_stopped_restoring_goes_on(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(5))
    run_stage(tmp_path, "faceset-metadata-save")
    workspace(tmp_path, {name: plain_jpeg() for name in some_faces(5)})
    context = context_for(tmp_path, "faceset-metadata-restore")
    context.stop_after = 2
    with pytest.raises(Stopped):
        restore_metadata(context)
    assert (aligned / "meta.dat").exists()
    resumed = run_stage(tmp_path, "faceset-metadata-restore")
    assert 0 < resumed.facts["right_already"] < 5
    assert [metadata(data) for data in loose(aligned).values()] == [
        metadata(data) for data in some_faces(5).values()
    ]
    assert pictures(loose(aligned).values()) == pictures([plain_jpeg()] * 5)
