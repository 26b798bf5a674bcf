"""What goes along with training: phases, backups, preview history, event files.

The loop owns time and calls each companion after every step and every save, in its own thread; so a
companion that has much to do (encode, copy) must hand it to a thread of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.protocol.history import LossPoint
from engine.protocol.stage import StageContext


class Training(Protocol):
    """The loop, seen from a companion."""

    @property
    def context(self) -> StageContext: ...

    @property
    def model_folder(self) -> Path: ...

    @property
    def iteration(self) -> int:
        """Steps made so far."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """All options of the run and the model as they are now."""
        ...

    def change_options(self, changes: Mapping[str, Any], why: str) -> None:
        """Go on with other options, recorded as a mark; viewers are told. Raises `UsageError` for
        values that do not fit; nothing is changed then."""
        ...

    def reset_nets(self, names: Sequence[str], why: str) -> None:
        """Give these nets fresh weights, recorded as a mark."""
        ...

    def mark(self, kind: str, text: str) -> None:
        """Record what happened in the model's history (`engine.protocol.history.Mark`)."""
        ...

    def preview_pages(self, first: int) -> dict[str, NDArray[np.uint8]]:
        """Preview pictures (h, w, 3) BGR by page, of the unwarped samples from number `first`."""
        ...

    def save(self) -> None:
        """Begin to save the model as it is now, unless a save is being written."""
        ...


class Companion(Protocol):
    """Use as a context: entered before the first step, left after the last save."""

    def __enter__(self) -> Companion: ...

    def __exit__(self, *exception: object) -> None: ...

    def stepped(self, training: Training, point: LossPoint) -> None:
        """A step was made and applied."""
        ...

    def saved(self, training: Training, iteration: int, path: Path) -> None:
        """A generation is safely on disk."""
        ...
