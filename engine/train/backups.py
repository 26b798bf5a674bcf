"""Backups: copies of saves, made every few hours or on request, that outlive the saves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from engine.protocol.commands import Backup, Command
from engine.protocol.errors import InputError
from engine.protocol.history import LossPoint
from engine.protocol.model_files import BACKUPS, About, newest_generation
from engine.train.companions import Companion, Training
from engine.train.save_folders import copy_save, forget_save, sweep_saves

AUTOMATIC, ASKED_FOR = "AUTO", "BACKUP"
KEPT_AUTOMATIC = 24
# Second names for a save's files are made in milliseconds; copies are not waited for.
_WAIT_SECONDS = 0.5


class Backups(Companion):
    """Keeps a save as a backup when `autobackup_hour` hours have passed, and when asked to.

    Automatic ones are named AUTO-time-iteration, and the last 24 stay; those asked for are named
    BACKUP-time-iteration, and stay until somebody removes them.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="backups")
        self._copying: tuple[str, Future[Path]] | None = None
        self._asked_at: int | None = None  # the iteration at which somebody asked for one
        self._clock = time.monotonic()  # when the last automatic one was due

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(wait=True)

    def begun(self, training: Training) -> None:
        """See `Companion.begun`."""
        sweep_saves(training.model_folder / BACKUPS)
        self._clock = time.monotonic()

    def restored(self, training: Training, carried: Mapping[str, Any]) -> None:
        """See `Companion.restored`. A backup that was asked for before is of the model as it is
        now; otherwise each step would be saved until the iteration comes again."""
        if self._asked_at is not None:
            self._asked_at = min(self._asked_at, training.iteration)

    def restarted(self, training: Training) -> None:
        """See `Companion.restarted`."""
        self.restored(training, {})

    def asked(self, training: Training, command: Command) -> None:
        """See `Companion.asked`: `Backup` is for this one."""
        if not isinstance(command, Backup):
            return
        self._asked_at = training.iteration
        newest = newest_generation(training.model_folder)
        if newest is not None and int(newest.name) == training.iteration:
            self.saved(training, training.iteration, newest)

    def stepped(self, training: Training, point: LossPoint) -> None:
        """See `Companion.stepped`."""
        self._hear(training)
        if self._asked_at is not None and self._copying is None:
            training.save()  # does nothing while an older save is being written

    def saved(self, training: Training, iteration: int, path: Path) -> None:
        """See `Companion.saved`."""
        kind = self._kind_due(iteration, training.options["autobackup_hour"])
        if kind is None or self._copying is not None:
            return
        name = f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}-{iteration:08d}"
        target = training.model_folder / BACKUPS / name
        self._copying = (kind, self._pool.submit(_back_up, path, target))
        wait([self._copying[1]], _WAIT_SECONDS)
        self._hear(training)

    def _kind_due(self, iteration: int, every_hours: int) -> str | None:
        if self._asked_at is not None and iteration >= self._asked_at:
            return ASKED_FOR
        is_due = every_hours and time.monotonic() - self._clock >= every_hours * 3600
        return AUTOMATIC if is_due else None

    def _hear(self, training: Training) -> None:
        """Record a backup that is made; tell of one that could not be. An automatic one is then due
        again at the next save."""
        if self._copying is None or not self._copying[1].done():
            return
        (kind, made), self._copying = self._copying, None
        if kind == ASKED_FOR:
            self._asked_at = None
        try:
            target = made.result()
        except InputError as error:
            if kind == AUTOMATIC:
                raise
            training.context.warn(f"no backup was made: {error.message}", error.remedy)
            return
        if kind == AUTOMATIC:
            interval_s = max(1, training.options["autobackup_hour"]) * 3600
            self._clock += (time.monotonic() - self._clock) // interval_s * interval_s
        training.mark("backup", f"backup {target.name}")
        training.context.note(f"backup: {target}")


def _back_up(source: Path, target: Path) -> Path:
    copy_save(source, target, About(made_at=time.time()))
    automatic = sorted(target.parent.glob(f"{AUTOMATIC}-*"))
    for old in automatic[:-KEPT_AUTOMATIC]:
        forget_save(old)
    return target
