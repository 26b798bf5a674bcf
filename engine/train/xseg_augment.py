"""Random changes of the faces that XSeg learns from: light, colours, sharpness, size, compression;
spec, training 11.3.

Pictures are (h, w, 3) float32, BGR, masks (h, w) float32, all 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.filters import SHARPENERS, motion_blur
from engine.media.levels import eight_bit, unit_floats
from engine.train.colours import HsvShift

F32 = NDArray[np.float32]
Generator = np.random.Generator

CHANCE = 0.25  # of each change of sharpness, size and compression
LARGEST_SHARPENING_PX, LARGEST_SMEAR_PX, LARGEST_BLUR_PX = 5, 5, 9
SHARPENING_BELOW = {"box": 10, "gaussian": 50}
SMALLEST_KEPT_PART = 0.25
WORST_JPEG, BEST_JPEG = 10, 100
# Flares are so soft that a quarter of the pixels show them as well, in a twentieth of the time.
_FLARE_SCALE = 4
_INTERPOLATIONS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR)


@dataclass(frozen=True)
class Levels:
    """For each channel: the values (3,) that become black and white, the bend between, and what
    black and white become."""

    black_in: F32
    white_in: F32
    gamma: F32
    black_out: F32
    white_out: F32

    def apply(self, image: F32) -> F32:
        """The picture with other levels."""
        inside = np.clip((image - self.black_in) / (self.white_in - self.black_in), 0, 1)
        bent = np.power(inside, 1 / self.gamma)
        changed = bent * (self.white_out - self.black_out) + self.black_out
        clipped: F32 = np.clip(changed, 0, 1).astype(np.float32, copy=False)
        return clipped


def draw_levels(rng: Generator) -> Levels:
    """Black up to a quarter, white down to three quarters, gamma 0.5 to 1.5."""

    def drawn(low: float, high: float) -> F32:
        return rng.uniform(low, high, 3).astype(np.float32)

    return Levels(drawn(0, 0.25), drawn(0.75, 1), drawn(0.5, 1.5), drawn(0, 0.25), drawn(0.75, 1))


def other_colours(image: F32, rng: Generator) -> F32:
    """Any hue with up to half more or less saturation and value, or else other levels."""
    if rng.random() < 0.5:
        return draw_levels(rng).apply(image)
    shift = HsvShift(int(rng.integers(360)), rng.random() - 0.5, rng.random() - 0.5)
    return shift.apply(image)


def with_flares(image: F32, mask: F32, rng: Generator) -> F32:
    """The light of the face shines over its surroundings, theirs over the face, or neither."""
    for lit in (mask, 1 - mask):
        if rng.random() < 0.5:
            height = len(image)
            kernel_px = int(rng.integers(height // 4, height + 1)) | 1
            image = np.clip(image + soft_light(image * lit[..., None], kernel_px), 0, 1)
    return image


def soft_light(image: F32, kernel_px: int) -> F32:
    """The picture blurred by a Gaussian of so many taps, which are odd."""
    height, width = image.shape[:2]
    sigma_px = 0.3 * ((kernel_px - 1) * 0.5 - 1) + 0.8  # OpenCV's own for so many taps
    small_wh = (max(1, width // _FLARE_SCALE), max(1, height // _FLARE_SCALE))
    small = cv2.resize(image, small_wh, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / _FLARE_SCALE)
    large: F32 = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return large


def other_sharpness(image: F32, rng: Generator) -> F32:
    """One time in two sharpened, else smeared and blurred; each seldom."""
    if rng.random() < 0.5:
        return _sharpened(image, rng) if rng.random() < CHANCE else image
    if rng.random() < CHANCE:
        length_px = int(rng.integers(1, LARGEST_SMEAR_PX + 1))
        image = motion_blur(image, length_px, float(rng.uniform(0, 360)))
    if rng.random() < CHANCE:
        side_px = int(rng.integers(1, LARGEST_BLUR_PX + 1)) | 1
        image = cv2.GaussianBlur(image, (side_px, side_px), 0)
    return image


def _sharpened(image: F32, rng: Generator) -> F32:
    name = "box" if rng.random() < 0.5 else "gaussian"
    kernel_px = int(rng.integers(1, LARGEST_SHARPENING_PX + 1)) | 1
    amount = int(rng.integers(SHARPENING_BELOW[name]))
    return np.clip(SHARPENERS[name](image, kernel_px, amount), 0, 1)


def other_size(image: F32, rng: Generator) -> F32:
    """Seldom made smaller and larger again, by one of two ways."""
    if rng.random() >= CHANCE:
        return image
    kept_px = int(rng.uniform(SMALLEST_KEPT_PART, 1) * len(image))
    return resized_and_back(image, kept_px, _INTERPOLATIONS[int(rng.integers(2))])


def resized_and_back(image: F32, kept_px: int, interpolation: int) -> F32:
    """A square picture by way of one of `kept_px`."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (kept_px, kept_px), interpolation=interpolation)
    large: F32 = cv2.resize(small, (width, height), interpolation=interpolation)
    return large


def other_compression(image: F32, rng: Generator) -> F32:
    """Seldom as a JPEG of any quality shows it."""
    if rng.random() >= CHANCE:
        return image
    return as_jpeg(image, int(rng.integers(WORST_JPEG, BEST_JPEG + 1)))


def as_jpeg(image: F32, quality: int) -> F32:
    """The picture compressed and opened again."""
    jpeg = cv2.imencode(".jpg", eight_bit(image), (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    opened = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert opened is not None, "it was written just now"
    return unit_floats(opened)


def soft_disc(rng: Generator, side_px: int) -> F32:
    """(side, side): 1 around a point anywhere, fading to 0 from some distance on."""
    x, y = rng.uniform(0, side_px, 2)
    full_px, fade_px = rng.uniform(0, side_px), rng.uniform(1, side_px)
    columns, rows = np.arange(side_px, dtype=np.float32), np.arange(side_px, dtype=np.float32)
    distance = np.hypot(columns[None] - np.float32(x), rows[:, None] - np.float32(y))
    disc: F32 = np.clip(1 - (distance - np.float32(full_px)) / np.float32(fade_px), 0, 1)
    return disc


# What is done after the bending, one after another, each on a disc of its own.
_CHANGES = (other_colours, other_sharpness, other_size, other_compression)


def changed_in_places(image: F32, rng: Generator) -> F32:
    """A square picture with other colours, sharpness, size and compression, each in a part of
    it."""
    for change in _CHANGES:
        changed = change(image, rng)
        if changed is not image:
            image = blended(image, changed, soft_disc(rng, len(image)))
    return np.clip(image, 0, 1)


def blended(image: F32, changed: F32, where: F32) -> F32:
    """`changed` where the mask is 1."""
    weight = where[..., None]
    return image * (1 - weight) + changed * weight
