"""What is told when a device has no memory left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from engine.protocol.errors import StageError


@contextmanager
def memory_for(what: str, *, workers: int) -> Iterator[None]:
    """Do something that needs the device's memory. Raises `StageError` (code "out-of-memory") if
    there is too little for it."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise StageError(
            f"the device has too little memory for {what}",
            "choose a smaller batch size, or end what else uses the device, and start again",
            # Nobody can go on with less where the others have done it.
            code="out-of-memory" if workers == 1 else "worker-memory",
        ) from error
