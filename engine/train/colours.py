"""Colours of src samples: taken over from a dst face, and jittered. spec, training 7.4 and 8.

Pictures are (h, w, 3) float32, BGR, 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.colour_distribution import (
    draw_rotations,
    iterated_distributions,
    sampled_transport,
)
from engine.media.colour_linear import monge_kantorovich, principal_axes, reinhard

F32 = NDArray[np.float32]
Transfer = Callable[[F32, F32, np.random.Generator], F32]

SOT_STEPS, SOT_DIRECTIONS = 10, 5
# Sorting all pixels of 256 px fifty times takes 400 ms a sample, a grid of this side 12 ms. What it
# changes (3e-3 on the mean) is less than what another draw of the directions does (6e-3).
SOT_GRID_PX = 64

# Row: what `Sampling.ct_mode` says, and how a picture takes over the colours of a reference.
TRANSFERS: dict[str, Transfer] = {
    "rct": lambda image, reference, _: reinhard(image, reference),
    "lct": lambda image, reference, _: principal_axes(image, reference),
    "mkl": lambda image, reference, _: monge_kantorovich(image, reference),
    "idt": lambda image, reference, rng: iterated_distributions(
        image, reference, draw_rotations(rng)
    ),
    "sot": lambda image, reference, rng: np.clip(
        sampled_transport(
            image,
            reference,
            rng.normal(size=(SOT_STEPS, SOT_DIRECTIONS, 3)),
            at_most_px=SOT_GRID_PX,
        ),
        0,
        1,
    ),
}


@dataclass(frozen=True)
class HsvShift:
    """What is added to hue (whole degrees, 0..359), saturation and value (each of 0..1)."""

    hue_deg: int
    saturation: float
    value: float

    def apply(self, image_bgr: F32) -> F32:
        """The picture with shifted colours."""
        hue, saturation, value = cv2.split(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2HSV))
        hue += np.float32(self.hue_deg)
        hue -= np.float32(360) * (hue >= 360)
        saturation = np.clip(saturation + np.float32(self.saturation), 0, 1)
        value = np.clip(value + np.float32(self.value), 0, 1)
        shifted: F32 = cv2.cvtColor(cv2.merge([hue, saturation, value]), cv2.COLOR_HSV2BGR)
        return np.clip(shifted, 0, 1)


def draw_hsv_shift(rng: np.random.Generator, power: float) -> HsvShift:
    """A hue within 180 * power degrees (at least one) to either side, saturation and value within
    power / 2."""
    largest_deg = max(1, int(180 * power))
    return HsvShift(
        hue_deg=int(rng.integers(-largest_deg, largest_deg + 1)) % 360,
        saturation=(rng.random() - 0.5) * power,
        value=(rng.random() - 0.5) * power,
    )
