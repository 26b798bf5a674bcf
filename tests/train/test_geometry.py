from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.train.geometry import Affine, SampleGeometry, draw_affine, draw_geometry, draw_warp
from tests.support.shared import shared_path

STILL = Affine(0.0, 1.0, 0.0, 0.0)


def golden_cases():
    index = json.loads(shared_path("golden", "imageops", "index.json").read_text())
    arrays = np.load(shared_path("golden", "imageops", "warp.npz"), allow_pickle=False)
    return index["warp"], arrays


def test_affine_moves_are_the_references_for_its_random_numbers():
    cases, arrays = golden_cases()
    for case in cases:
        rng = np.random.RandomState(case["seed_transform"])
        found = draw_affine(rng, case["scale_range"][1]).matrix(case["out_w"])
        np.testing.assert_allclose(found, arrays[f"{case['i']}_rmat"], atol=1e-9)


def test_pictures_and_masks_are_bent_as_the_reference_bends_them():
    cases, arrays = golden_cases()
    checked = 0
    for case in cases:
        key = f"{case['i']}_warp_tr_flip_repl_cubic"
        if key not in arrays:
            continue
        path = shared_path("golden", "imageops", f"warp_{case['i']}_in.png")
        image = cv2.imread(str(path)).astype(np.float32) / 255
        rng = np.random.RandomState(case["seed_transform"])
        maps = (arrays[f"{case['i']}_mapx"], arrays[f"{case['i']}_mapy"])
        geometry = SampleGeometry(draw_affine(rng, case["scale_range"][1]), maps, case["flip"])
        bent = geometry.image(image, warped=True)
        expected = np.clip(arrays[key], 0, 1)
        assert np.abs(bent - expected).mean() < 1e-3
        assert np.abs(bent - expected).max() < 0.03
        expected_mask = arrays[f"{case['i']}_tr_only_const_linear"][..., 0]
        assert np.abs(geometry.mask(image[..., 0]) - expected_mask).max() < 0.02
        checked += 1
    assert checked >= 4


def test_an_input_without_displacement_lies_exactly_on_its_target():
    rng = np.random.default_rng(0)
    image = rng.random((96, 96, 3), np.float32)
    geometry = draw_geometry(rng, 96, scale=0.05, warp=False, may_mirror=False)
    np.testing.assert_array_equal(
        geometry.image(image, warped=True), geometry.image(image, warped=False)
    )


def test_warps_have_no_preferred_direction_and_bend_both_axes_independently():
    rng = np.random.default_rng(1)
    shifts_x, shifts_y = [], []
    grid_y, grid_x = np.mgrid[0:96, 0:96]
    for _ in range(400):
        map_x, map_y = draw_warp(rng, 96)
        shifts_x.append((map_x - grid_x)[::7, ::7])
        shifts_y.append((map_y - grid_y)[::7, ::7])
    x, y = np.ravel(shifts_x), np.ravel(shifts_y)
    assert abs(x.mean()) < 0.05
    assert abs(y.mean()) < 0.05
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.2
    transposed = np.ravel([shift.T for shift in shifts_x])
    assert abs(np.corrcoef(transposed, y)[0, 1]) < 0.2


def test_warps_are_as_strong_as_the_references():
    # At 128 px the reference's largest displacement averages 6.3 px and stays under 21.5.
    rng = np.random.default_rng(2)
    grid_y, grid_x = np.mgrid[0:128, 0:128]
    largest = []
    for _ in range(300):
        map_x, map_y = draw_warp(rng, 128)
        largest.append(max(np.abs(map_x - grid_x).max(), np.abs(map_y - grid_y).max()))
    assert 5.5 < np.mean(largest) < 8.5
    assert np.max(largest) < 0.48 * 64


@pytest.mark.parametrize("side", [32, 48, 64, 96, 100])
def test_any_side_keeps_its_size_and_range(side):
    rng = np.random.default_rng(3)
    image = rng.random((side, side, 3), np.float32)
    geometry = draw_geometry(rng, side, scale=0.15, warp=True, may_mirror=True)
    bent = geometry.image(image, warped=True)
    assert bent.shape == (side, side, 3)
    assert bent.dtype == np.float32
    assert bent.min() >= 0
    assert bent.max() <= 1
    assert geometry.mask(image[..., 0]).shape == (side, side)


def test_mirroring_comes_last_and_mirrors_masks_too():
    image = np.zeros((64, 64, 3), np.float32)
    image[10, 20] = 1
    geometry = SampleGeometry(STILL, None, mirrored=True)
    assert geometry.image(image, warped=False)[10, 43, 0] == 1
    assert geometry.mask(image[..., 0])[10, 43] == 1
