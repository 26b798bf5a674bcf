"""What goes along with training: phases, backups, preview history, event files.

The loop owns time and calls each companion after every step and every save, in its own thread; so a
companion that has much to do (encode, copy) must hand it to a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from engine.protocol.commands import Command
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
        values that do not fit, `InputError` for faces that cannot be read; nothing is changed
        then."""
        ...

    def reset_nets(self, names: Sequence[str], why: str) -> None:
        """Give these nets fresh weights, recorded as a mark. Raises `UsageError` for a name that no
        net has."""
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

    def finish(self, why: str) -> None:
        """End the run after this step, saved, as done."""
        ...


class Companion:
    """Use as a context: entered before the first step, left after the last save.

    Each method does nothing unless a companion says otherwise. An `InputError` (a full disk) that
    one raises is told once, and training goes on. carried_as: the name under which what `carried`
    gives is saved with the model; "" if nothing is.
    """

    carried_as = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def begun(self, training: Training) -> None:
        """Training is about to make the run's first step."""

    def stepped(self, training: Training, point: LossPoint) -> None:
        """A step was made and applied."""

    def asked(self, training: Training, command: Command) -> None:
        """A viewer sent a command that the loop itself does not carry out, such as `Backup`."""

    def changed(self, training: Training, options: Mapping[str, Any]) -> None:
        """These options have other values from now on."""

    def saved(self, training: Training, iteration: int, path: Path) -> None:
        """A generation is safely on disk."""

    def restored(self, training: Training, carried: Mapping[str, Any]) -> None:
        """The model went back to an earlier save; `carried` is what this companion had given for
        it, {} if it had nothing."""

    def restarted(self, training: Training) -> None:
        """The model's iterations count from 0 again: it has left its pretraining."""

    def carried(self) -> Mapping[str, Any]:
        """What the companion needs to go on from here, as JSON; saved with every generation."""
        return {}

    def status(self) -> str:
        """A few words on where it stands, shown beside the progress; mostly nothing."""
        return ""


def carried_by(companions: Iterable[Companion]) -> dict[str, dict[str, Any]]:
    """What a save keeps of companions, by `carried_as`."""
    return {c.carried_as: dict(c.carried()) for c in companions if c.carried_as}


def status_of(companions: Iterable[Companion]) -> str:
    """Where they stand, in one line."""
    return ", ".join(filter(None, (companion.status() for companion in companions)))
