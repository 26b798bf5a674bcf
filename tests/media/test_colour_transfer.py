"""Colour transfer against DeepFaceLab's numbers, and where those have none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.media.colour_transfer import TRANSFERS, reinhard, transfer_colours
from tests.support.shared import shared_path


def golden_pair(number: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    folder = shared_path("golden", "colour")
    pictures = [
        cv2.imread(str(folder / f"pair{number}_{side}.png")).astype(np.float32) / 255
        for side in ("src", "trg")
    ]
    return pictures[0], pictures[1], dict(np.load(folder / f"pair{number}.npz"))


@pytest.mark.parametrize("number", range(3))
def test_reinhard_agrees_with_the_reference_with_and_without_masks(number: int) -> None:
    source, target, golden = golden_pair(number)
    everywhere = np.ones(source.shape[:2], np.float32)
    area, soft, hull = (golden[f"mask_{name}"][..., 0] for name in ("area", "soft", "trg_hull"))
    for got, wanted in (
        (reinhard(source, target, everywhere), golden["rct"]),
        (reinhard(source, target, area), golden["rct_masked_area"]),
        (reinhard(source, target, soft, hull), golden["rct_masked_soft"]),
    ):
        assert np.abs(got - wanted).mean() < 1e-5


@pytest.mark.parametrize("method", TRANSFERS)
@pytest.mark.parametrize("flat", ["source", "target", "both", "empty area"])
def test_flat_pictures_and_empty_areas_give_colours_and_not_nan(method: str, flat: str) -> None:
    noise = np.random.default_rng(1).random((16, 16, 3), dtype=np.float32)
    grey = np.full((16, 16, 3), 0.5, np.float32)
    source = grey if flat in ("source", "both") else noise
    target = grey if flat in ("target", "both") else noise[::-1].copy()
    area = np.full((16, 16), flat != "empty area", np.float32)
    moved = transfer_colours(source, target, method, area)
    assert moved.dtype == np.float32
    assert moved.shape == source.shape
    assert np.isfinite(moved).all()
    assert 0 <= moved.min() <= moved.max() <= 1
