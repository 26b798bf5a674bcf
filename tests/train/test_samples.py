from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.protocol.errors import InputError
from engine.train.crops import CropCache, CropKind, make_crop
from engine.train.geometry import SampleGeometry, draw_affine
from engine.train.samples import Sampling, SideSamples
from engine.train.side_faces import SideFaces
from tests.support.shared import shared_path
from tests.train.made_faces import made_face, write_faceset

FULL_64 = Sampling(CropKind(FaceType.FULL, 64, eyes_mouth=True), 2, scale=0.05)


def golden_samples():
    folder = shared_path("golden", "imageops")
    rows = json.loads((folder / "index.json").read_text())["samples"]
    arrays = np.load(folder / "samples.npz", allow_pickle=False)
    return [(row, folder, arrays) for row in rows if not row["ct_mode"]]


def test_crops_targets_and_masks_are_the_references():
    # Crops are kept in 8 bits: 5e-4 on the mean, and cubic overshoot is cut before the move
    # instead of after it, hence wider bounds than the reference's own 1e-3 and 0.03.
    for row, folder, arrays in golden_samples():
        mask_file = row["xseg_file"] and (folder / row["xseg_file"]).read_bytes()
        data = FaceData(
            FaceType.from_dfl(row["face_type"]),
            np.array(row["landmarks"]),
            eyebrows_expand_mod=row["eyebrows_expand_mod"],
            xseg_mask_compressed=mask_file,
        )
        wanted = FaceType.from_dfl(row["target_face_type"])
        kind = CropKind(wanted, row["resolution"], eyes_mouth=True)
        crop = make_crop((folder / row["file"]).read_bytes(), data, kind, row["file"])
        rng = np.random.RandomState(row["derived_sample_seed"])
        affine = draw_affine(rng, row["scale_range"][1])
        mirrored = row["random_flip"] and rng.randint(10) < 4
        bend = SampleGeometry(affine, None, mirrored)
        target = bend.image(np.float32(crop.image_bgr_u8) / 255, warped=False)
        mask = bend.mask(np.float32(crop.mask_u8) / 255)
        eyes_mouth = bend.mask(np.float32(crop.eyes_mouth_u8) / 255)
        for found, key, most in (
            (target, "target", 0.06),
            (mask, "mask", 0.03),
            (eyes_mouth / eyes_mouth.max(), "mask_em", 0.03),
        ):
            error = np.abs(found - np.squeeze(arrays[f"{row['i']}_{key}"]))
            assert error.mean() < 2e-3, (row["i"], key)
            assert error.max() < most, (row["i"], key)


def samples_of(folder, *, side="src", seed=3, sampling=FULL_64, warnings=None, references=None):
    warnings = [] if warnings is None else warnings
    faces = SideFaces(side, open_faceset(folder), lambda text, remedy: warnings.append(text))
    references = references and SideFaces("dst", open_faceset(references), warnings.append)
    return SideSamples(faces, sampling, seed=seed, cache=CropCache(1 << 26), references=references)


def test_a_sample_is_the_same_whenever_it_is_made(tmp_path):
    write_faceset(tmp_path, 4)
    forward, backward = samples_of(tmp_path), samples_of(tmp_path)
    first = [forward.sample(number) for number in range(6)]
    again = [backward.sample(number) for number in reversed(range(6))][::-1]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.input_bgr, other.input_bgr)
        np.testing.assert_array_equal(one.mask, other.mask)


def test_another_seed_gives_other_samples(tmp_path):
    write_faceset(tmp_path, 4)
    one = samples_of(tmp_path, seed=3).sample(0)
    other = samples_of(tmp_path, seed=4).sample(0)
    assert np.abs(one.target_bgr - other.target_bgr).mean() > 1e-3


def test_every_face_comes_once_in_each_round(tmp_path):
    write_faceset(tmp_path, 5)
    samples = samples_of(tmp_path)
    rounds = [[samples.face_number(5 * r + i) for i in range(5)] for r in range(8)]
    assert all(sorted(faces) == [0, 1, 2, 3, 4] for faces in rounds)
    assert len({tuple(faces) for faces in rounds}) > 4


def test_input_is_bent_target_is_not_and_the_mask_follows_the_target(tmp_path):
    write_faceset(tmp_path, 1)
    sample = samples_of(tmp_path).sample(0)
    assert np.abs(sample.input_bgr - sample.target_bgr).mean() > 0.005
    skin = sample.target_bgr[..., 2] > 0.6  # the drawn face is the only bright red thing
    inside = sample.mask[..., 0] > 0.5
    assert (skin & inside).sum() / skin.sum() > 0.75
    assert sample.eyes_mouth.max() == 1


def test_a_face_of_another_type_is_cut_to_the_models_type(tmp_path):
    image, data = made_face(1, side_px=256, face_type=FaceType.WHOLE_FACE)
    jpeg = cv2.imencode(".png", image)[1].tobytes()
    crop = make_crop(jpeg, data, CropKind(FaceType.FULL, 96), "face")
    wider = make_crop(jpeg, data, CropKind(FaceType.WHOLE_FACE, 96), "face")
    assert crop.image_bgr_u8.shape == (96, 96, 3)
    assert (crop.mask_u8 > 127).mean() > 1.3 * (wider.mask_u8 > 127).mean()


def test_an_unreadable_face_is_skipped_with_a_warning_and_its_turn_goes_to_another(tmp_path):
    write_faceset(tmp_path, 3)
    whole = (tmp_path / "00001_0.jpg").read_bytes()
    warnings = []
    samples = samples_of(tmp_path, warnings=warnings)
    (tmp_path / "00001_0.jpg").write_bytes(whole[: len(whole) // 2])  # damaged after the opening
    made = [samples.sample(number) for number in range(9)]
    assert len(made) == 9
    assert len(warnings) == 1
    assert "00001_0.jpg" in warnings[0]
    assert list(samples.unusable) == ["00001_0.jpg"]


def test_a_side_without_a_single_usable_face_is_refused_instead_of_waiting_for_ever(tmp_path):
    write_faceset(tmp_path, 2)
    warnings = []
    samples = samples_of(tmp_path, warnings=warnings)
    for path in tmp_path.iterdir():
        path.write_bytes(b"overwritten after the opening")
    with pytest.raises(InputError, match="none of the 2 src faces"):
        samples.sample(0)
    assert len(warnings) == 2


def test_many_unusable_faces_are_counted_but_not_told_one_by_one(tmp_path):
    write_faceset(tmp_path, 40)
    warnings = []
    samples = samples_of(tmp_path, warnings=warnings)
    for path in sorted(tmp_path.iterdir())[1:]:
        path.unlink()
    for number in range(40):
        samples.sample(number)
    assert len(warnings) == 21
    assert "without a word each" in warnings[-1]
    assert len(samples.unusable) == 39


def test_the_cache_stays_within_its_bound():
    cache = CropCache(limit_bytes=2 * 64 * 64 * 4)
    image, data = made_face(1)
    jpeg = cv2.imencode(".png", image)[1].tobytes()
    for number in range(5):
        kind = CropKind(FaceType.FULL, 64)
        cache.get("crop", number, lambda: make_crop(jpeg, data, kind, "x"))
    assert 0 < cache.size_bytes <= cache.limit_bytes
