"""Colour transfer against DeepFaceLab's numbers, and where those have none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.media.colour_distribution import (
    iterated_distributions,
    match_histogram,
    mixed,
    sampled_transport,
    sliced_transport,
)
from engine.media.colour_linear import monge_kantorovich, principal_axes, reinhard
from engine.media.colour_transfer import SLOW, TRANSFERS, transfer_colours, transfer_colours_roughly
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


@pytest.mark.parametrize("number", range(3))
def test_linear_maps_agree_with_the_reference(number: int) -> None:
    source, target, golden = golden_pair(number)
    area = golden["mask_area"]
    for got, wanted in (
        (principal_axes(source, target), golden["lct"]),
        (monge_kantorovich(source, target), golden["mkl"]),
        (monge_kantorovich(source * area, target * area), golden["mkl_m"]),
    ):
        assert np.abs(got - wanted).mean() < 1e-5


@pytest.mark.parametrize("number", range(3))
def test_iterated_distributions_agree_with_the_reference_for_its_rotations(number: int) -> None:
    source, target, golden = golden_pair(number)
    area, rotations = golden["mask_area"], golden["idt_rotations"]
    for got, wanted in (
        (iterated_distributions(source, target, rotations), golden["idt"]),
        (iterated_distributions(source * area, target * area, rotations), golden["idt_m"]),
    ):
        assert np.abs(got - wanted).mean() < 1e-3


@pytest.mark.parametrize("number", range(3))
def test_iterated_distributions_by_own_draws_are_within_the_spread_of_others(number: int) -> None:
    source, target, golden = golden_pair(number)
    assert np.abs(iterated_distributions(source, target) - golden["idt"]).mean() < 2e-2


def test_transport_agrees_with_the_reference_for_its_directions() -> None:
    source, target, golden = golden_pair(0)
    directions = golden["sot_directions_10x5"]
    for smooth, wanted in ((True, golden["sot"]), (False, golden["sot_noreg"])):
        got = sliced_transport(
            source, target, steps=10, directions_per_step=5, directions=directions, smooth=smooth
        )
        assert np.abs(got - wanted).mean() < 5e-4
    assert np.abs(mixed(source, target, directions) - golden["mix"]).mean() < 2e-3


def test_transport_by_a_sample_of_the_pixels_is_nearer_than_other_directions_would_be() -> None:
    source, target, _ = golden_pair(0)
    source, target = (cv2.resize(picture, (160, 160)) for picture in (source, target))
    drawn, others = np.random.default_rng(4).normal(size=(2, 10, 5, 3))
    whole, other = (
        sliced_transport(
            source, target, steps=10, directions_per_step=5, directions=directions.reshape(50, 3)
        )
        for directions in (drawn, others)
    )
    sampled = sampled_transport(source, target, drawn, at_most_px=64)
    assert np.abs(sampled - whole).mean() < np.abs(other - whole).mean()
    assert np.abs(sampled - whole).max() < 0.05


def test_transport_by_all_pixels_is_the_sampled_one_of_a_small_picture() -> None:
    source, target, golden = golden_pair(0)
    directions = golden["sot_directions_10x5"].reshape(10, 5, 3)
    sampled = sampled_transport(source, target, directions, at_most_px=64)
    assert np.abs(sampled - golden["sot"]).mean() < 5e-4


@pytest.mark.parametrize(
    ("method", "name"), [("sot-m", "sot_m_10x30_mean6"), ("mix-m", "mix_m_mean6")]
)
def test_transport_by_own_draws_is_near_the_mean_of_others(method: str, name: str) -> None:
    source, target, golden = golden_pair(0)
    got = transfer_colours(source, target, method, golden["mask_area"][..., 0])
    assert np.abs(got - np.clip(golden[name], 0, 1)).mean() < 5e-3


@pytest.mark.parametrize("number", range(3))
def test_histogram_matching_agrees_with_the_reference(number: int) -> None:
    source, target, golden = golden_pair(number)
    for threshold in (255, 238, 150):
        if f"hist_{threshold}" in golden:
            got = match_histogram(source, target, threshold)
            assert np.abs(got - golden[f"hist_{threshold}"]).mean() < 1e-6


@pytest.mark.parametrize("method", TRANSFERS)
def test_a_transfer_gives_the_same_picture_every_time(method: str) -> None:
    noise = np.random.default_rng(2).random((2, 24, 24, 3), dtype=np.float32)
    area = np.ones((24, 24), np.float32)
    first, second = (transfer_colours(noise[0], noise[1], method, area) for _ in range(2))
    assert np.array_equal(first, second)


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


@pytest.mark.parametrize("method", sorted(SLOW))
def test_a_rough_transfer_is_near_the_real_one_and_keeps_the_detail(method: str) -> None:
    side_px = 128
    y, x = np.mgrid[:side_px, :side_px] / side_px
    stripes = 0.02 * np.sin(x * 200)
    source = np.stack([x, y, x * y], axis=2) * 0.6 + 0.2 + stripes[..., None]
    source, target = source.astype(np.float32), (0.1 + 0.7 * source[:, ::-1]).astype(np.float32)
    area = (np.hypot(x - 0.5, y - 0.5) < 0.4).astype(np.float32)
    real = transfer_colours(source, target, method, area)[area > 0]
    rough = transfer_colours_roughly(source, target, method, area)[area > 0]
    untouched = source[area > 0]
    assert np.abs(rough - real).mean() < 0.25 * np.abs(untouched - real).mean()
    assert np.corrcoef(rough[:, 0], real[:, 0])[0, 1] > 0.97
