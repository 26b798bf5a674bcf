"""Watches of runs: each follows one run and holds what is known of it, for every screen alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from engine.protocol.events import AnyEvent, Losses, Started
from engine.protocol.history import HISTORY_NAME, LossPoint, read_history
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder, follow
from tuiapp.bridge.loss_series import LossSeries
from tuiapp.bridge.run_view import RunView, apply

# The model's earlier course is drawn from so many of its last iterations (half a second to read).
HISTORY_POINTS = 100_000


class RunWatch:
    """What is known of one run. `version` counts changes, so that painters see whether to paint."""

    def __init__(self, workspace: Workspace, folder: RunFolder, stage_id: str = "") -> None:
        self.folder = folder
        self.view = RunView(run=folder.id, stage=stage_id)
        self.losses = LossSeries()
        self.version = 0
        self._workspace = workspace

    async def follow(self, events: AsyncIterator[AnyEvent] | None = None) -> None:
        """Take in events (the run's own unless given) until the last one."""
        async for event in follow(self.folder) if events is None else events:
            self.view = apply(self.view, event)
            self.version += 1
            if isinstance(event, Losses):
                self.losses.add(event.iteration, event.values)
            elif isinstance(event, Started) and self.view.trains:
                await self._read_history()

    async def _read_history(self) -> None:
        options = self.view.options
        folder = self._workspace.model(str(options.get("model")), str(options.get("model_class")))
        points = await asyncio.to_thread(read_history, folder / HISTORY_NAME, limit=HISTORY_POINTS)
        self._take_in(points)

    def _take_in(self, points: list[LossPoint]) -> None:
        for point in points:
            self.losses.add(point.iteration, point.losses)
