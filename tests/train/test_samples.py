from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.protocol.errors import InputError
from engine.train.crops import CropCache, CropKind, make_crop
from engine.train.samples import Sampling, SideSamples
from engine.train.side_faces import SideFaces
from tests.train.made_faces import made_face, write_faceset
from tests.train.reference_samples import reference_samples

FULL_64 = Sampling(CropKind(FaceType.FULL, 64, eyes_mouth=True), 2, scale=0.05)


def test_samples_are_the_references_in_every_picture_and_mask():
    # Crops are kept in 8 bits: 1e-3 on the mean, twice that where colours are stretched; and cubic
    # overshoot is cut before the move instead of after it. Hence wider bounds than the reference's
    # own 1e-3 and 0.03.
    for reference in reference_samples():
        crop = reference.crop()
        geometry, jitter = reference.geometry_and_jitter()
        image = reference.recoloured(crop.image_bgr_u8 / np.float32(255))
        jittered = jitter.apply(image) if reference.row["random_hsv_shift_amount"] else image
        eyes_mouth = geometry.mask(crop.eyes_mouth_u8 / np.float32(255))
        for found, key, most in (
            (geometry.image(jittered, warped=True), "warped", 0.08),
            (geometry.image(image, warped=False), "target", 0.06),
            (geometry.mask(crop.mask_u8 / np.float32(255)), "mask", 0.03),
            (eyes_mouth / eyes_mouth.max(), "mask_em", 0.03),
        ):
            error = np.abs(found - reference.expected(key))
            assert error.mean() < 2.5e-3, (reference.row["i"], key)
            assert error.max() < most, (reference.row["i"], key)


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
    kind = CropKind(FaceType.FULL, 64)
    for number in range(5):
        cache.get("crop", number, lambda: make_crop(jpeg, data, kind, "x"))
    assert 0 < cache.size_bytes <= cache.limit_bytes
