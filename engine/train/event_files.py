"""Losses and times as TensorBoard event files, in `tensorboard/` of the model's folder.

TensorFlow writes them itself; the package tensorboard is only needed to look at them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

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

    def __init__(self, loss_names: Sequence[str]) -> None:
        self._tags = [*(f"loss/{name}" for name in loss_names), "time/step_ms"]
        self._writer: Any = None
        self._gathered: list[tuple[float, ...]] = []
        self._point_at = 0.0
        self._flush_at = 0.0

    def __exit__(self, *exception: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def stepped(self, training: Training, point: LossPoint) -> None:
        """See `Companion.stepped`. Raises `InputError` if the file cannot be written."""
        if not training.options["tensorboard"]:
            return
        self._gathered.append((*point.losses, point.step_ms))
        now = time.monotonic()
        if now >= self._point_at:
            self._point_at = now + POINT_SECONDS
            means = [float(mean) for mean in np.mean(self._gathered, axis=0)]
            self._gathered.clear()
            self._write(training, point.iteration, means, now)

    def _write(
        self, training: Training, iteration: int, values: Sequence[float], now: float
    ) -> None:
        import tensorflow as tf  # only here: without it the loop runs in processes that have none

        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name=_SCALARS)
        )
        folder = training.model_folder / TENSORBOARD
        try:
            if self._writer is None:
                self._writer = tf.summary.create_file_writer(str(folder))
            with self._writer.as_default(step=iteration):
                for tag, value in zip(self._tags, values, strict=True):
                    tf.summary.write(tag, tf.constant(value, tf.float32), metadata=metadata)
            if now >= self._flush_at:
                self._flush_at = now + FLUSH_SECONDS
                self._writer.flush()
        except tf.errors.OpError as error:
            raise InputError(
                f"cannot write TensorBoard's files to {folder}: {error.message}",
                "make room on the disk, or switch the option tensorboard off",
            ) from error
