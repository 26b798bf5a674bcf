"""Watches of runs: each follows one run and holds what is known of it, for every screen alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from engine.protocol.events import AnyEvent, Losses, Started
from engine.protocol.history import HISTORY_NAME, Mark, read_marks
from engine.protocol.loss_columns import read_loss_columns
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder, follow
from tuiapp.bridge.loss_history import LossHistory
from tuiapp.bridge.run_view import RunView, apply

# Marks after which the history goes on from an earlier iteration: what was read is read anew.
_TURNING_BACK = frozenset({"rollback", "restart", "restore"})


class RunWatch:
    """What is known of one run. `version` counts changes, so that painters see whether to paint.

    marks: what happened to the model that the run trains, oldest first.
    """

    def __init__(self, workspace: Workspace, folder: RunFolder, stage_id: str = "") -> None:
        self.folder = folder
        self.view = RunView(run=folder.id, stage=stage_id)
        self.losses = LossHistory()
        self.marks: list[Mark] = []
        self.version = 0
        self._workspace = workspace
        self._read_up_to = 0
        self._is_reading = False

    @property
    def model_folder(self) -> Path:
        """Of the model that the run trains."""
        options = self.view.options
        return self._workspace.model(str(options.get("model")), str(options.get("model_class")))

    async def follow(self, events: AsyncIterator[AnyEvent] | None = None) -> None:
        """Take in events (the run's own unless given) until the last one."""
        async for event in follow(self.folder) if events is None else events:
            self.view = apply(self.view, event)
            self.version += 1
            if isinstance(event, Losses):
                self.losses.add(event.iteration, event.values)
                self._read_up_to = min(self._read_up_to, event.iteration - 1)
            elif isinstance(event, Started) and self.view.trains:
                await self.catch_up()

    async def catch_up(self) -> None:
        """Read what the model's history has beyond what was read before: the course before the
        run, and iterations that were made while nobody was connected. Never twice at once."""
        if self._is_reading:
            return
        self._is_reading = True
        try:
            await self._read_history()
        finally:
            self._is_reading = False

    async def _read_history(self) -> None:
        path, width = self.model_folder / HISTORY_NAME, len(self.view.loss_names)
        marks = await asyncio.to_thread(read_marks, path)
        turned_back = _turns(marks) != _turns(self.marks)
        if turned_back:
            self._read_up_to = 0
        after = self._read_up_to
        columns = await asyncio.to_thread(read_loss_columns, path, width, after=after)
        if marks != self.marks:
            self.marks = marks
            self.version += 1
        if len(columns) and self._read_up_to == after:
            if turned_back:
                self.losses.clear()
            self.losses.put(columns)
            self._read_up_to = columns.iterations[-1]


def _turns(marks: list[Mark]) -> int:
    return sum(mark.kind in _TURNING_BACK for mark in marks)
