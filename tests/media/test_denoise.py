"""Noise taken out of frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.media.denoise import denoised
from engine.media.images import ImageU8
from engine.protocol.errors import InputError, Stopped
from tests.support.clips import numbered_frame


def noisy(count: int, seed: int = 0, width_px: int = 176) -> list[tuple[int, ImageU8]]:
    """The same picture with other noise in every frame."""
    rng = np.random.default_rng(seed)
    still = numbered_frame(5, width_px).astype(np.float64)
    return [
        (number, np.clip(still + rng.normal(0, 6, still.shape), 0, 255).astype(np.uint8))
        for number in range(count)
    ]


def error_of(image: ImageU8, truth: ImageU8) -> float:
    return float(np.abs(image.astype(np.float64) - truth).mean())


def test_frames_come_back_in_order_and_with_less_noise() -> None:
    frames = noisy(8)
    results = list(denoised(frames, 7, lambda: None))
    assert [label for label, _ in results] == list(range(8))
    truth = numbered_frame(5)
    assert error_of(results[-1][1], truth) < 0.6 * error_of(frames[-1][1], truth)


def test_a_clean_still_picture_stays_nearly_as_it_is() -> None:
    still = np.full((48, 64, 3), (200, 30, 90), np.uint8)
    for _, image in denoised([(number, still) for number in range(4)], 7, lambda: None):
        assert int(np.abs(image.astype(int) - still).max()) <= 1


def test_a_frame_of_another_size_begins_anew() -> None:
    frames = [*noisy(3), *noisy(2, width_px=200), *noisy(2)]
    results = list(denoised(frames, 7, lambda: None))
    assert [image.shape for _, image in results] == [image.shape for _, image in frames]
    alone = list(denoised(noisy(2, width_px=200), 7, lambda: None))
    np.testing.assert_array_equal(results[4][1], alone[1][1])


def test_it_can_be_stopped_between_frames() -> None:
    calls = 0

    def stop_at_third() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Stopped

    with pytest.raises(Stopped):
        list(denoised(noisy(100), 7, stop_at_third))


def test_an_error_of_the_frames_comes_after_the_frames_before_it() -> None:
    def broken() -> Iterator[tuple[int, ImageU8]]:
        yield from noisy(3)
        raise InputError("the disk is gone")

    results = denoised(broken(), 7, lambda: None)
    assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="the disk is gone"):
        next(results)
