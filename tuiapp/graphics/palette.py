"""Colour palettes for sixel pictures: built rarely, applied to every frame through a table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

U8 = NDArray[np.uint8]

# Median cut looks at about this many pixels a side; more does not improve the palette visibly.
_SAMPLE_SIDE_PX = 96
_LEVELS = 32  # colours are looked up by their upper 5 bits a channel: a table of 32768 entries
_MAX_AGE_S = 5.0
# A scene change raises the mean error of the sampled pixels well above these (levels of 0..255).
_ERROR_GROWTH = 1.5
_ERROR_SLACK = 2.0


@dataclass(frozen=True)
class Palette:
    """`colours_rgb_u8` (n, 3) and `nearest` (32768,) uint8: the entry for each 5-bit colour.

    Entry 0 is the background given to `build_palette`.
    """

    colours_rgb_u8: U8
    nearest: U8

    def indices(self, rgb_u8: U8) -> U8:
        """(h, w, 3) uint8 to (h, w) uint8 palette entries."""
        return self.nearest[_five_bit_code(rgb_u8)]

    def mean_error(self, rgb_u8: U8) -> float:
        """Mean absolute difference per channel (0..255) between pixels and their entries."""
        shown = self.colours_rgb_u8[self.indices(rgb_u8)].astype(np.int16)
        return float(np.abs(shown - rgb_u8).mean())


def build_palette(rgb_u8: U8, colours: int, background_rgb: tuple[int, int, int]) -> Palette:
    """At most `colours` entries (2..256) for one picture (h, w, 3), the background first."""
    sample = _sample(rgb_u8)
    distinct = np.unique(sample.reshape(-1, 3), axis=0)
    background = np.array([background_rgb], np.uint8)
    if len(distinct) <= colours - 1:
        entries = np.concatenate([background, distinct])
        return Palette(entries, _nearest_table(entries, distinct))
    entries = np.concatenate([background, _median_cut(sample, colours - 1)])
    table = _nearest_table(entries, entries[1:])
    table[_five_bit_code(background)] = 0  # or a mean of dark colours would stand around pictures
    return Palette(entries, table)


class PaletteCache:
    """Keeps one palette for a run of similar frames and rebuilds it when they change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._palette: Palette | None = None
        self._key: tuple[int, tuple[int, int, int]] | None = None
        self._built_at_s = 0.0
        self._error_when_built = 0.0

    def palette_for(
        self, rgb_u8: U8, colours: int, background_rgb: tuple[int, int, int]
    ) -> Palette:
        """The kept palette while it fits `rgb_u8` (h, w, 3), else a new one."""
        sample = _sample(rgb_u8)
        key = (colours, background_rgb)
        if self._palette is None or key != self._key or self._outworn(sample):
            self._palette = build_palette(rgb_u8, colours, background_rgb)
            self._key = key
            self._built_at_s = self._clock()
            self._error_when_built = self._palette.mean_error(sample)
        return self._palette

    def _outworn(self, sample: U8) -> bool:
        assert self._palette is not None
        error = self._palette.mean_error(sample)
        if error > self._error_when_built * _ERROR_GROWTH + _ERROR_SLACK:
            return True
        stale = self._clock() - self._built_at_s > _MAX_AGE_S
        return stale and error > self._error_when_built


def _sample(rgb_u8: U8) -> U8:
    """About 96x96 of the pixels themselves: averaging would invent colours."""
    step_y = max(1, rgb_u8.shape[0] // _SAMPLE_SIDE_PX)
    step_x = max(1, rgb_u8.shape[1] // _SAMPLE_SIDE_PX)
    return np.ascontiguousarray(rgb_u8[::step_y, ::step_x])


def _median_cut(sample: U8, colours: int) -> U8:
    quantised = Image.fromarray(sample).quantize(
        colors=colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    flat = quantised.getpalette() or []
    used = max(int(np.asarray(quantised).max()) + 1, 1)
    return np.array(flat, np.uint8).reshape(-1, 3)[:used]


def _five_bit_code(rgb_u8: U8) -> NDArray[np.uint16]:
    high = (rgb_u8 >> 3).astype(np.uint16)
    return ((high[..., 0] << 10) | (high[..., 1] << 5) | high[..., 2]).astype(np.uint16)


def _nearest_table(entries: U8, exact: U8) -> U8:
    """(32768,) entry nearest to the middle of each 5-bit colour; `exact` colours keep their own."""
    axis = np.arange(_LEVELS, dtype=np.float32) * 8 + 3.5
    red, green, blue = np.meshgrid(axis, axis, axis, indexing="ij")
    centres = np.stack([red, green, blue], -1).reshape(-1, 3)
    table = _nearest_entries(centres, entries.astype(np.float32))
    first = len(entries) - len(exact)
    table[_five_bit_code(exact)] = np.arange(first, len(entries), dtype=np.uint8)
    return table


def _nearest_entries(points: NDArray[np.float32], entries: NDArray[np.float32]) -> U8:
    # |p - e|^2 without |p|^2, which is the same for all entries: one matrix product does it.
    distance = (entries * entries).sum(1) - 2.0 * (points @ entries.T)
    nearest: U8 = distance.argmin(1).astype(np.uint8)
    return nearest
