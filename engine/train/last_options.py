"""Keeps the options that a run trains with, so that the next one goes on with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.protocol.files import write_atomically
from engine.protocol.model_files import LAST_OPTIONS, LastOptions, read_last_options
from engine.train.companions import Companion, Training


class KeptOptions(Companion):
    """Writes `LastOptions` to the model's folder when a run begins, and whenever options change.

    of_run: the run's own options that a model goes on with, as they are at the start. of_model: the
    names of the model's.
    """

    def __init__(self, of_run: Mapping[str, Any], of_model: Collection[str]) -> None:
        self._last = LastOptions(of_run=dict(of_run))
        self._of_model = frozenset(of_model)

    def begun(self, training: Training) -> None:
        """See `Companion.begun`."""
        self._write(training)

    def changed(self, training: Training, options: Mapping[str, Any]) -> None:
        """See `Companion.changed`. What changes the model is in its next save; until that is there
        a run that goes on from the last one must know it, too."""
        last = self._last
        of_run = {name: value for name, value in options.items() if name in last.of_run}
        of_model = {name: value for name, value in options.items() if name in self._of_model}
        before = last.changed if last.changed_at == training.iteration else {}
        self._last = LastOptions(
            of_run={**last.of_run, **of_run},
            changed_at=training.iteration,
            changed={**before, **of_model},
        )
        self._write(training)

    def saved(self, training: Training, iteration: int, path: Path) -> None:
        """See `Companion.saved`: a save begun before a change was heard of before it, too."""
        if iteration >= self._last.changed_at:
            self._forget_changed(training)

    def restored(self, training: Training, carried: Mapping[str, Any]) -> None:
        """See `Companion.restored`: options are as they were then."""
        self._forget_changed(training)

    def _forget_changed(self, training: Training) -> None:
        if self._last.changed:
            self._last = LastOptions(of_run=self._last.of_run)
            self._write(training)

    def _write(self, training: Training) -> None:
        _write(training.model_folder, self._last)


def forget_changed(model_folder: Path) -> None:
    """The newest save's options hold, whatever was changed since. Raises `InputError` when the disk
    is full."""
    last = read_last_options(model_folder)
    if last.changed:
        _write(model_folder, LastOptions(of_run=last.of_run))


def _write(model_folder: Path, last: LastOptions) -> None:
    encoded = msgspec.json.format(msgspec.json.encode(last), indent=1)
    write_atomically(model_folder / LAST_OPTIONS, encoded)
