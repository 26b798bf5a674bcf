"""Sharpness is what DeepFaceLab's metric says, and falls with blur."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.masks import hull_mask
from engine.faces.sorting.sharpness import cpbd_sharpness, laplacian_variance
from engine.media.images import ImageU8, read_image_bgr_u8
from tests.faces.face_files import picture
from tests.support.shared import shared_path


def reference_rows() -> list[dict[str, Any]]:
    index = json.loads(shared_path("golden", "imageops", "index.json").read_text())
    rows: list[dict[str, Any]] = index["sharpness"]
    return rows


def grey(image_bgr_u8: ImageU8) -> Any:
    return cv2.cvtColor(image_bgr_u8, cv2.COLOR_BGR2GRAY)


def test_sharpness_agrees_with_the_reference_with_and_without_a_mask() -> None:
    for row in reference_rows():
        image = read_image_bgr_u8(shared_path("golden", "imageops", row["file"]))
        inside = hull_mask(image.shape[:2], np.array(row["landmarks"])).astype(np.uint8)
        masked = image * inside[:, :, None]
        assert cpbd_sharpness(grey(image)) == pytest.approx(row["value_full"], abs=1e-9)
        assert cpbd_sharpness(grey(masked)) == pytest.approx(row["value_hull"], abs=1e-9)
        assert laplacian_variance(masked) == pytest.approx(row["laplacian11_var_hull"], rel=1e-9)


def test_blurring_a_picture_makes_it_less_sharp() -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 200, (256, 256)), (0, 0), 1)
    cloudy = np.clip(noise + 128, 0, 255).astype(np.uint8)
    values = [cpbd_sharpness(cv2.GaussianBlur(cloudy, (0, 0), sigma)) for sigma in (0.5, 1, 2, 3)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.5
    assert values[-1] < 0.01


@pytest.mark.parametrize("size_px", [1, 2, 63])
def test_a_picture_smaller_than_a_block_has_no_sharpness(size_px: int) -> None:
    assert cpbd_sharpness(grey(picture(size_px))) == 0.0


def test_an_even_picture_has_no_sharpness() -> None:
    assert cpbd_sharpness(np.full((128, 128), 90, np.uint8)) == 0.0
