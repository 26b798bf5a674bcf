"""Masks are put into face files, and taken away, and nothing else of them changes."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.face_data import dict_from_data
from engine.faces.face_file import (
    decode_applied_mask,
    read_face_data,
    read_jpeg,
    replace_face_data,
    rewrite_face_data,
)
from engine.faces.face_type import FaceType
from engine.faces.jpeg_segments import LONGEST_PAYLOAD
from engine.faces.metadata_file import META_NAME
from engine.media.images import decode_face_bgr_u8
from engine.models.xseg.masking import mask_crop
from engine.models.xseg.predictor import XSegPredictor, load_xseg
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.workspace import Workspace, list_images
from engine.stages.xseg_apply import in_flight
from engine.stages.xseg_apply.ledger import Ledger
from tests.models.xseg.made_xseg import write_dfl_xseg
from tests.stages.facesets import data_of, faceset, labelled, names, run_apart, run_stage
from tests.support.disks import small_disk
from tests.support.tree import tree

pytestmark = pytest.mark.slow  # loads nets


def workspace_with_net(root, count=3, *, face_type="wf", **changes):
    """Faces of src and a net that sees something in most of them; returns the faces' folder."""
    write_dfl_xseg(root / "model", seed=7, face_type=face_type)
    return faceset(root, count, **changes)


def apply(root, **given):
    return run_stage(root, "xseg-apply", side="src", device="cpu", **given)


def mask_of(path):
    return decode_applied_mask(data_of(path), (256, 256))


def kept_metadata(root):
    return list(Workspace(root).trash.rglob(META_NAME))


def test_every_face_gets_the_mask_that_the_net_sees(tmp_path):
    folder = workspace_with_net(tmp_path)
    context = apply(tmp_path)
    net = load_xseg(Workspace(tmp_path), device="cpu")
    for path in sorted(folder.iterdir()):
        image = decode_face_bgr_u8(read_jpeg(path), path)
        crop = mask_crop(image, data_of(path), FaceType.WHOLE_FACE)
        wanted = net.masks(crop.image_bgr[None])[0] >= 0.5
        np.testing.assert_array_equal(mask_of(path), wanted)
    assert context.facts["masked"] == 3


def test_only_the_applied_mask_of_a_face_file_changes(tmp_path):
    folder = workspace_with_net(tmp_path, **labelled())
    before = {path.name: read_jpeg(path) for path in folder.iterdir()}
    apply(tmp_path)
    for path in folder.iterdir():
        mask = data_of(path).xseg_mask_compressed
        old = before[path.name]
        expected = replace(read_face_data(old), xseg_mask_compressed=mask)
        assert read_jpeg(path) == replace_face_data(old, expected)


def test_a_stopped_run_goes_on_with_the_faces_that_are_left(tmp_path):
    folder = workspace_with_net(tmp_path, 5)
    with pytest.raises(Stopped):
        apply(tmp_path, stop_after=2)
    done = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if _is_masked(path)}
    assert 0 < len(done) < 5
    context = apply(tmp_path)
    assert context.facts["masked"] == 5 - len(done)
    assert all(_is_masked(path) for path in folder.iterdir())
    assert all((folder / name).stat().st_mtime_ns == when for name, when in done.items())


def test_a_face_without_room_for_a_mask_stays_as_it_is_and_holds_up_no_other(tmp_path):
    folder = workspace_with_net(tmp_path)
    full = list_images(folder)[0]
    room = LONGEST_PAYLOAD - len(dfl_pickle(dict_from_data(data_of(full)))) - 100
    rewrite_face_data(full, replace(data_of(full), other={"notes": b"x" * room}))
    before = full.read_bytes()
    context = apply(tmp_path)
    assert (context.facts["masked"], context.facts["left_out"]) == (2, 1)
    assert full.read_bytes() == before
    assert any("65533" in text for text in context.warnings)


def test_a_face_whose_name_is_no_text_is_remembered_as_masked(tmp_path):
    folder, side = faceset(tmp_path, 1), Workspace(tmp_path).src
    face = list_images(folder)[0].rename(folder / "\udcfe.jpg")
    Ledger(Workspace(tmp_path), side, "a net", fresh=False).add([face])
    assert Ledger(Workspace(tmp_path), side, "a net", fresh=False).has(face)


def _is_masked(path):
    return data_of(path).xseg_mask_compressed is not None


def test_another_net_masks_all_faces_again_and_keeps_what_they_had(tmp_path):
    folder = workspace_with_net(tmp_path)
    apply(tmp_path)
    before = {path.name: mask_of(path) for path in folder.iterdir()}
    write_dfl_xseg(tmp_path / "other", seed=9)
    context = apply(tmp_path, xseg_model=str(tmp_path / "other"))
    assert context.facts["masked"] == 3
    after = {path.name: mask_of(path) for path in folder.iterdir()}
    assert any((after[name] != before[name]).any() for name in before)

    [meta] = kept_metadata(tmp_path)
    shutil.move(meta, folder / META_NAME)
    run_stage(tmp_path, "faceset-metadata-restore", side="src", confirmed=True)
    for name, mask in before.items():
        np.testing.assert_array_equal(mask_of(folder / name), mask)


def test_faces_are_opened_while_the_net_looks_at_others(tmp_path, monkeypatch):
    workspace_with_net(tmp_path, 4)
    is_last_read = threading.Event()
    read, masks = in_flight.read_face, XSegPredictor.masks

    def reading(path):
        if path.name.startswith("00003"):
            is_last_read.set()
        return read(path)

    def looking(net, faces):
        assert is_last_read.wait(30), "the net waits for nothing but its own faces"
        return masks(net, faces)

    monkeypatch.setattr(in_flight, "read_face", reading)
    monkeypatch.setattr(XSegPredictor, "masks", looking)
    assert apply(tmp_path).facts["masked"] == 4


def test_a_face_that_was_changed_since_is_masked_again(tmp_path):
    folder = workspace_with_net(tmp_path)
    apply(tmp_path)
    run_stage(tmp_path, "xseg-remove", side="src", confirmed=True)
    assert apply(tmp_path).facts["masked"] == 3
    assert apply(tmp_path).facts["masked"] == 0
    assert apply(tmp_path, fresh=True).facts["masked"] == 3
    assert all(_is_masked(path) for path in folder.iterdir())


def test_a_net_for_wider_faces_is_shown_them_wider_and_its_mask_brought_back(tmp_path):
    """By the landmarks a point of the face and that of its crop are the same place."""
    path = workspace_with_net(tmp_path, 1) / "00000_0.jpg"
    image, data = decode_face_bgr_u8(read_jpeg(path), path), data_of(path)
    crop = mask_crop(image, data, FaceType.HEAD)
    centre = np.zeros((256, 256), np.float32)
    spot = crop.crop_from_mask @ (128, 128, 1)
    cv2.circle(centre, tuple(map(round, spot)), 6, (1.0,), -1)
    rows, columns = np.nonzero(crop.onto_face(centre) > 0.5)
    assert abs(rows.mean() - 128) < 2
    assert abs(columns.mean() - 128) < 2


def test_faces_can_be_shown_as_they_are(tmp_path):
    folder = workspace_with_net(tmp_path, 1, face_type="head")
    apply(tmp_path, face_type="same")
    [path] = folder.iterdir()
    net = load_xseg(Workspace(tmp_path), device="cpu")
    image = cv2.resize(decode_face_bgr_u8(read_jpeg(path), path), (256, 256), interpolation=2)
    wanted = net.masks(np.float32(image)[None] / np.float32(255))[0] >= 0.5
    np.testing.assert_array_equal(mask_of(path), wanted)


def test_a_packed_faceset_is_refused_with_what_to_do(tmp_path):
    workspace_with_net(tmp_path)
    run_stage(tmp_path, "faceset-pack", side="src", confirmed=True)
    with pytest.raises(InputError) as refused:
        apply(tmp_path)
    assert "faceset-unpack" in refused.value.remedy


def test_without_a_net_nothing_is_changed(tmp_path):
    folder = faceset(tmp_path)
    before = tree(folder)
    with pytest.raises(InputError) as refused:
        apply(tmp_path)
    assert refused.value.code == "no-xseg"
    assert tree(folder) == before


def test_pictures_that_are_no_faces_are_left_as_they_are(tmp_path):
    folder = workspace_with_net(tmp_path)
    other = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    (folder / "other.jpg").write_bytes(other)
    context = apply(tmp_path)
    assert context.facts["left_out"] == 1
    assert (folder / "other.jpg").read_bytes() == other


def test_on_a_full_disk_every_face_is_whole(tmp_path):
    with small_disk(tmp_path / "disk", "4m") as disk:
        folder = workspace_with_net(disk, 3)
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - (16 << 10)))
        with pytest.raises(InputError, match="disk is full"):
            apply(disk)
        assert len([data_of(path) for path in folder.iterdir()]) == 3


@pytest.mark.parametrize(
    ("stage", "taken", "left"),
    [
        ("xseg-remove", "xseg_mask_compressed", "seg_ie_polys"),
        ("xseg-labels-remove", "seg_ie_polys", "xseg_mask_compressed"),
    ],
)
def test_what_is_removed_is_kept_and_can_be_had_back(tmp_path, stage, taken, left):
    folder = faceset(tmp_path, 2, **labelled())
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, stage, side="src")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    context = run_stage(tmp_path, stage, side="src", confirmed=True)
    assert context.facts["removed_from"] == 2
    for path in folder.iterdir():
        assert not getattr(data_of(path), taken)
        assert getattr(data_of(path), left)

    [meta] = kept_metadata(tmp_path)
    shutil.move(meta, folder / META_NAME)
    run_stage(tmp_path, "faceset-metadata-restore", side="src", confirmed=True)
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before


def test_where_there_is_nothing_to_remove_nothing_is_asked(tmp_path):
    faceset(tmp_path)
    context = run_stage(tmp_path, "xseg-remove", side="src")
    assert context.facts["removed_from"] == 0
    assert not kept_metadata(tmp_path)


def test_labelled_faces_are_copied_and_stay(tmp_path):
    folder = faceset(tmp_path, 2, **labelled())
    faces = {path.name: path.read_bytes() for path in folder.iterdir()}
    plain = faceset(tmp_path / "plain", 1) / "00000_0.jpg"
    shutil.copy(plain, folder / "plain_0.jpg")
    context = run_stage(tmp_path, "xseg-fetch", side="src")
    copies = folder.parent / "aligned_xseg"
    assert {name: (copies / name).read_bytes() for name in names(copies)} == faces
    assert len(names(folder)) == 3
    assert context.facts["copied"] == 2
    assert run_stage(tmp_path, "xseg-fetch", side="src").facts["copied"] == 0


def test_labelled_faces_are_moved_only_when_that_is_confirmed(tmp_path):
    folder = faceset(tmp_path, 2, **labelled())
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, "xseg-fetch", side="src", move=True)
    assert len(names(folder)) == 2
    run_stage(tmp_path, "xseg-fetch", side="src", move=True, confirmed=True)
    assert names(folder) == []
    assert len(names(folder.parent / "aligned_xseg")) == 2
    assert len(list(Workspace(tmp_path).trash.rglob("*_0.jpg"))) == 2


def test_other_faces_of_the_same_names_are_not_overwritten_unasked(tmp_path):
    folder = faceset(tmp_path, 1, **labelled())
    copies = folder.parent / "aligned_xseg"
    copies.mkdir()
    (copies / "00000_0.jpg").write_bytes(b"somebody's")
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, "xseg-fetch", side="src")
    assert (copies / "00000_0.jpg").read_bytes() == b"somebody's"
    run_stage(tmp_path, "xseg-fetch", side="src", confirmed=True)
    [kept] = Workspace(tmp_path).trash.rglob("00000_0.jpg")
    assert kept.read_bytes() == b"somebody's"


def test_without_labels_there_is_nothing_to_fetch(tmp_path):
    faceset(tmp_path)
    with pytest.raises(InputError, match=r"no face .* has drawn labels"):
        run_stage(tmp_path, "xseg-fetch", side="src")


def test_after_a_kill_every_face_is_whole_and_the_next_run_masks_the_rest(tmp_path):
    folder = workspace_with_net(tmp_path, 4, **labelled())
    # Of 4 faces with masks: some ten changes for what is kept, the ledger's, then two a face.
    assert run_apart(tmp_path, "xseg-apply", fatal=14, side="src", device="cpu") is None
    polygons = [len(data_of(path).seg_ie_polys) for path in list_images(folder)]
    assert polygons == [2] * 4
    context = apply(tmp_path)
    assert context.facts["masked"] + context.facts["masked_before"] == 4
    assert all(mask_of(path).shape == (256, 256) for path in list_images(folder))
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
