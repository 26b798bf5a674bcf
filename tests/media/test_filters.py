"""Filters against DeepFaceLab's numbers."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest

from engine.media.filters import (
    SHARPENERS,
    degrade_bicubic,
    line_kernel,
    median_blur,
    motion_blur,
    reduce_colours,
)
from engine.media.levels import eight_bit
from tests.support.shared import shared_path

SHARPEN_MODES = {1: "box", 2: "gaussian"}


def golden_filters() -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, Any]]:
    folder = shared_path("golden", "imageops")
    image = cv2.imread(str(folder / "img60.png")).astype(np.float32) / 255
    return (
        image,
        dict(np.load(folder / "filters.npz")),
        json.loads((folder / "index.json").read_text()),
    )


def test_sharpening_and_blurring_agree_with_the_reference() -> None:
    image, golden, index = golden_filters()
    for case in index["blursharpen"]:
        amount = case["amount"]
        if amount > 0:
            sharpen = SHARPENERS[SHARPEN_MODES[case["sharpen_mode"]]]
            got = sharpen(image, case["kernel_size"], amount)
        else:
            got = median_blur(image, -amount, 10)
        assert np.abs(got - golden[case["key"]]).max() < 2e-5, case


def test_motion_kernels_and_blurs_agree_with_the_reference() -> None:
    image, golden, index = golden_filters()
    for case in index["motion"]:
        blurred = motion_blur(image, case["size"], case["angle_deg"])
        # Other versions of OpenCV turn the line a little differently: up to 0.4 % of one pixel.
        assert np.abs(blurred - golden[case["image_key"]]).max() < 5e-3, case


def test_a_line_kernel_lies_as_its_angle_says() -> None:
    assert np.array_equal(line_kernel(5, 0)[2], np.full(5, 0.2, np.float32))
    assert np.allclose(line_kernel(5, 90)[:, 2], 0.2, atol=1e-6)
    assert line_kernel(8, 33).sum() == pytest.approx(1, abs=1e-6)


def test_reduced_colours_agree_with_the_reference() -> None:
    folder = shared_path("golden", "colour")
    for number in range(3):
        image = cv2.imread(str(folder / f"pair{number}_src.png")).astype(np.float32) / 255
        golden = np.load(folder / f"pair{number}.npz")
        for colours in (256, 32):
            got = reduce_colours(image, colours)
            assert np.abs(got - golden[f"reduce_{colours}"]).mean() <= 0.01


def test_median_passes_have_the_weights_that_their_amount_says() -> None:
    spot = np.zeros((9, 9, 3), np.float32)
    spot[4, 4] = 1
    assert median_blur(spot, 5, 100)[4, 4, 0] == pytest.approx(0.95)
    left = 0.5 * 0.6 * 0.7 * 0.8 * 0.9
    assert median_blur(spot, 50, 100)[4, 4, 0] == pytest.approx(left)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (50, 101)])
def test_the_strongest_degrading_leaves_a_picture_of_the_same_size(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).random((*size, 3), dtype=np.float32)
    degraded = degrade_bicubic(image, 1 - 100 / 101)
    assert degraded.shape == image.shape
    assert 0 <= degraded.min() <= degraded.max() <= 1


@pytest.mark.parametrize("amount", [4, 35, 100, 250])
def test_medians_of_bytes_are_those_of_floats(amount: int) -> None:
    bytes_ = np.random.default_rng(2).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    floats = bytes_.astype(np.float32) / np.float32(255)
    off = np.abs(median_blur(bytes_, amount, 100) - median_blur(floats, amount, 100))
    assert off.max() < 1e-4


def test_flat_bytes_come_out_of_the_median_unchanged() -> None:
    levels = np.arange(256, dtype=np.uint8)[:, None, None].repeat(20, axis=1).repeat(3, axis=2)
    flat = levels[::16].repeat(16, axis=0)
    middle = eight_bit(median_blur(flat, 70, 100))[8::16]
    assert np.array_equal(middle, flat[8::16])


def test_colours_by_the_palette_of_a_sample_are_off_by_few_levels() -> None:
    noise = np.random.default_rng(2).random((200, 240, 3), dtype=np.float32)
    picture = cv2.GaussianBlur(noise, (0, 0), 8)
    sampled = reduce_colours(picture, sampled_px=5000)
    assert np.abs(sampled - picture).mean() < 3 / 255
    assert len(np.unique(sampled.reshape(-1, 3), axis=0)) <= 256
