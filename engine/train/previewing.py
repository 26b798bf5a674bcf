"""When a training run shows what its model draws, and of which faces."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.protocol.stage import StageContext
from engine.train.feed import Feed
from engine.train.previews import write_previews
from engine.train.samples import Sampling
from engine.train.trainable import Trainable

ROWS = 4
TALLEST_PX = 800


class Previewing:
    """Preview pictures by the clock and on request, of the same faces until `show_others`."""

    def __init__(
        self, context: StageContext, model: Trainable, feed: Feed, model_folder: Path
    ) -> None:
        self._context = context
        self._model = model
        self._feed = feed
        self._model_folder = model_folder
        self._made_at = time.monotonic()
        self._first = 0  # number of the first sample shown

    def is_due(self, every_s: float) -> bool:
        """So many seconds have passed since the last one; never with 0."""
        return bool(every_s) and time.monotonic() - self._made_at >= every_s

    def show_others(self) -> None:
        """The next ones are of other faces."""
        self._first += ROWS

    def make(self) -> None:
        """Make and announce the pictures. Raises `InputError` if the disk does not take them."""
        self._made_at = time.monotonic()
        pages = self.pages(self._first)
        paths = write_previews(pages, self._context.run_dir, self._model_folder)
        for page, path in paths.items():
            self._context.preview(page, path, self._model.iteration)

    def pages(self, first: int) -> dict[str, NDArray[np.uint8]]:
        """See `Training.preview_pages`."""
        count = row_count(self._feed.sampling)
        return self._model.preview_pages(self._feed.batches.for_preview(first, count))


def row_count(sampling: Sampling) -> int:
    """How many faces of each side a preview shows."""
    return min(ROWS, sampling.batch_size, max(1, TALLEST_PX // sampling.kind.side_px))
