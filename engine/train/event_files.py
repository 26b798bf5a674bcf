"""Losses and times as TensorBoard event files, in `tensorboard/` of the model's folder.

TensorFlow writes them itself; the package tensorboard is only needed to look at them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.protocol.errors import InputError
from engine.protocol.history import LossPoint
from engine.protocol.model_files import TENSORBOARD
from engine.train.companions import Companion, Training

# TensorBoard shows about a thousand points of a curve; a point each second is ten times as many in
# three hours, and the mean of a second's steps says more than any one of them.
POINT_SECONDS = 1.0
FLUSH_SECONDS = 10.0
_SCALARS = "scalars"  # the plugin of TensorBoard that draws the values


class EventFiles(Companion):
    """Writes the mean of each second's losses and step times while `tensorboard` is on."""

    def __init__(self, model_folder: Path, loss_names: Sequence[str]) -> None:
        self._folder = model_folder / TENSORBOARD
        self._tags = [*(f"loss/{name}" for name in loss_names), "time/step_ms"]
        self._writer: Any = None
        self._gathered: list[tuple[float, ...]] = []
        self._iteration = 0
        self._point_at = 0.0
        self._flush_at = 0.0

    def __exit__(self, *exception: object) -> None:
        if self._writer is not None:
            # Whoever must know of a full disk was told while training.
            with contextlib.suppress(InputError):
                self._write_point()
                self._written(self._writer.close)

    def stepped(self, training: Training, point: LossPoint) -> None:
        """See `Companion.stepped`. Raises `InputError` if the file cannot be written."""
        if not training.options["tensorboard"]:
            return
        self._gathered.append((*point.losses, point.step_ms))
        self._iteration = point.iteration
        now = time.monotonic()
        if now >= self._point_at:
            self._point_at = now + POINT_SECONDS
            self._write_point()
        if now >= self._flush_at:
            self._flush_at = now + FLUSH_SECONDS
            self._written(self._writer.flush)

    def _write_point(self) -> None:
        if self._gathered:
            means = np.mean(self._gathered, axis=0)
            self._gathered.clear()
            self._written(lambda: self._write(means))

    def _write(self, values: NDArray[np.float64]) -> None:
        import tensorflow as tf  # only here: without it the loop runs in processes that have none

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self._folder))
        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name=_SCALARS)
        )
        with self._writer.as_default(step=self._iteration):
            for tag, value in zip(self._tags, values, strict=True):
                tf.summary.write(tag, tf.constant(value, tf.float32), metadata=metadata)

    def _written(self, write: Callable[[], object]) -> None:
        """Do it. Raises `InputError` if the disk does not take it."""
        import tensorflow as tf

        try:
            write()
        except tf.errors.OpError as error:
            raise InputError(
                f"cannot write TensorBoard's files to {self._folder}: {error.message}",
                "make room on the disk, or switch the option tensorboard off",
            ) from error
