from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.models.saehd.spec import SAEHD
from engine.train.colours import TRANSFERS, HsvShift, draw_hsv_shift
from engine.train.crops import CropKind
from engine.train.samples import Sampling
from engine.train.sources import Sources
from tests.train.made_faces import made_face, write_workspace

PLAIN = Sampling(CropKind(FaceType.FULL, 96), 2, scale=0.05)


def batch_of(root, sampling, number=0):
    faces = [open_faceset(root / f"data_{side}" / "aligned") for side in ("src", "dst")]
    sources = Sources(
        *faces, seed=3, limit_bytes=1 << 26, warn=lambda text, remedy: None, threads=1
    )
    with sources.open(sampling, number) as stream:
        return stream.next()


@pytest.mark.parametrize("mode", TRANSFERS)
def test_src_samples_take_over_the_colours_of_dst_faces_and_dst_keeps_its_own(tmp_path, mode):
    write_workspace(tmp_path, 4)
    plain, recoloured = (
        batch_of(tmp_path, replace(PLAIN, ct_mode=name)) for name in ("none", mode)
    )
    np.testing.assert_array_equal(recoloured.dst.target_bgr, plain.dst.target_bgr)
    np.testing.assert_array_equal(recoloured.src.mask, plain.src.mask)
    dst = plain.dst.target_bgr.mean(axis=(0, 1, 2))
    before = np.abs(plain.src.target_bgr.mean(axis=(0, 1, 2)) - dst).sum()
    after = np.abs(recoloured.src.target_bgr.mean(axis=(0, 1, 2)) - dst).sum()
    assert after < 0.6 * before


@pytest.mark.parametrize("mode", TRANSFERS)
def test_input_and_target_of_a_sample_are_recoloured_alike(tmp_path, mode):
    write_workspace(tmp_path, 2)
    src = batch_of(tmp_path, replace(PLAIN, ct_mode=mode, warp=False)).src
    np.testing.assert_array_equal(src.input_bgr, src.target_bgr)
    bent = batch_of(tmp_path, replace(PLAIN, ct_mode=mode)).src
    np.testing.assert_array_equal(bent.target_bgr, src.target_bgr)


def test_every_dst_face_lends_its_colours_once_per_round(tmp_path):
    write_workspace(tmp_path, 4)
    colours = np.uint8([(40, 40, 200), (40, 200, 40), (200, 40, 40), (200, 200, 40)])
    for number, colour in enumerate(colours):
        image, data = made_face(number)
        jpeg = encode_face_jpeg(np.full_like(image, colour), 95, data)
        (tmp_path / "data_dst" / "aligned" / f"{number:05d}_0.jpg").write_bytes(jpeg)
    lenders = []
    for number in (0, 2, 4, 6):
        targets = batch_of(tmp_path, replace(PLAIN, ct_mode="mkl"), number).src.target_bgr
        means = targets.mean(axis=(1, 2)) * 255
        lenders += [int(np.abs(colours - mean).sum(axis=1).argmin()) for mean in means]
    assert sorted(lenders[:4]) == sorted(lenders[4:]) == [0, 1, 2, 3]


def test_models_offer_exactly_the_known_transfers():
    offered = next(option for option in SAEHD.options if option.name == "ct_mode")
    assert list(offered.kind.values) == ["none", *TRANSFERS]


@pytest.mark.parametrize("mode", ["idt", "sot"])
def test_a_recoloured_sample_is_the_same_whenever_it_is_made(tmp_path, mode):
    write_workspace(tmp_path, 3)
    sampling = replace(PLAIN, ct_mode=mode, hsv_power=0.1)
    first, again = (batch_of(tmp_path, sampling, number=8).src for _ in range(2))
    np.testing.assert_array_equal(first.input_bgr, again.input_bgr)


def test_colours_are_jittered_in_src_inputs_only(tmp_path):
    write_workspace(tmp_path, 2)
    plain, jittered = (
        batch_of(tmp_path, replace(PLAIN, hsv_power=power, warp=False)) for power in (0, 0.3)
    )
    for side in ("src", "dst"):
        expected, found = getattr(plain, side), getattr(jittered, side)
        np.testing.assert_array_equal(found.target_bgr, expected.target_bgr)
        np.testing.assert_array_equal(found.mask, expected.mask)
    np.testing.assert_array_equal(jittered.dst.input_bgr, plain.dst.input_bgr)
    assert np.abs(jittered.src.input_bgr - plain.src.input_bgr).mean() > 0.01


def test_a_shift_of_nothing_leaves_the_colours():
    image = np.random.default_rng(0).random((32, 32, 3), np.float32)
    np.testing.assert_allclose(HsvShift(0, 0, 0).apply(image), image, atol=1e-5)


def test_a_shift_turns_the_hue_and_moves_the_rest_within_its_range():
    image = np.random.default_rng(0).random((32, 32, 3), np.float32)
    before = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    after = cv2.cvtColor(HsvShift(350, -0.1, 0.2).apply(image), cv2.COLOR_BGR2HSV)
    value = np.clip(before[..., 2] + 0.2, 0, 1)
    saturation = np.clip(before[..., 1] - 0.1, 0, 1)
    np.testing.assert_allclose(after[..., 2], value, atol=1e-4)
    np.testing.assert_allclose(after[..., 1], saturation, atol=1e-3)
    coloured = saturation > 0.1
    turned = (after[..., 0] - before[..., 0])[coloured] % 360
    np.testing.assert_allclose(turned, 350, atol=0.1)


@pytest.mark.parametrize(("power", "largest_deg"), [(0.001, 1), (0.05, 9), (0.3, 54)])
def test_shifts_reach_both_ends_of_their_range_and_not_beyond(power, largest_deg):
    rng = np.random.default_rng(1)
    shifts = [draw_hsv_shift(rng, power) for _ in range(2000)]
    signed = {(shift.hue_deg + 180) % 360 - 180 for shift in shifts}
    assert signed == set(range(-largest_deg, largest_deg + 1))
    for numbers in ([shift.saturation for shift in shifts], [shift.value for shift in shifts]):
        assert 0.98 * power / 2 < max(numbers) <= power / 2
        assert abs(np.mean(numbers)) < 0.02 * power
