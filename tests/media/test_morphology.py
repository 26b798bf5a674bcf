"""Large discs against OpenCV's own erosion and dilation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.media.morphology import eroded


def soft_mask(hw: tuple[int, int], *, touches_edge: bool) -> np.ndarray:
    """Blots of 0..1 with a little overshoot."""
    mask = np.zeros(hw, np.float32)
    place = mask[5:, 40:] if touches_edge else mask[25:-40, 40:-30]
    place[:] = np.random.default_rng(3).random(place.shape, dtype=np.float32)
    blurred = cv2.GaussianBlur(mask, (0, 0), 3)
    return np.where(blurred > 0.01, blurred * 1.6 - 0.05, 0).astype(np.float32)


@pytest.mark.parametrize("touches_edge", [False, True])
@pytest.mark.parametrize("side", [1, 2, 16, 17, 18, 40, 61, 130])
@pytest.mark.parametrize("sign", [1, -1], ids=["erode", "dilate"])
def test_discs_of_any_size_give_what_opencv_gives(side: int, sign: int, touches_edge: bool) -> None:
    mask = soft_mask((150, 170), touches_edge=touches_edge)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    morph = cv2.erode if sign > 0 else cv2.dilate
    expected = morph(mask, ellipse, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    assert np.array_equal(eroded(mask, sign * side), expected)


@pytest.mark.parametrize("diameter_px", [400, -400])
def test_discs_larger_than_the_mask_empty_or_fill_it(diameter_px: int) -> None:
    mask = np.zeros((150, 170), np.float32)
    mask[60:90, 70:100] = 1
    assert (eroded(mask, diameter_px) == (0 if diameter_px > 0 else 1)).all()


def test_an_empty_mask_stays_empty() -> None:
    empty = np.zeros((50, 60), np.float32)
    assert not eroded(empty, 30).any()
    assert not eroded(empty, -30).any()
