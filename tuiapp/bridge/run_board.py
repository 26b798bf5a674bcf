"""All runs of a workspace, and a watch for each that lives or is being looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from engine import catalog
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder, RunInfo, list_runs
from tuiapp.bridge.watch import RunWatch


class RunBoard:
    """Knows the runs; `infos` newest first as of the last `refresh`."""

    def __init__(self, workspace: Workspace) -> None:
        self.infos: list[RunInfo] = []
        self.watches: dict[str, RunWatch] = {}
        self._workspace = workspace

    async def refresh(self) -> list[RunInfo]:
        """List the runs anew; gives the live ones that nobody watches yet."""
        self.infos = await asyncio.to_thread(list_runs, self._workspace)
        return [info for info in self.infos if info.state.live and info.id not in self.watches]

    def watch(self, folder: RunFolder, stage_id: str) -> tuple[RunWatch, bool]:
        """The run's watch, and whether it is new (then somebody has to let it follow)."""
        known = self.watches.get(folder.id)
        if known is not None:
            return known, False
        self.watches[folder.id] = RunWatch(self._workspace, folder, stage_id)
        return self.watches[folder.id], True

    def forget_discarded(self, watch: RunWatch) -> bool:
        """Whether the run is gone: one that is refused before it began leaves no folder. Then it
        is watched no more."""
        if watch.folder.path.exists():
            return False
        self.watches.pop(watch.folder.id, None)
        return True

    def live(self) -> list[RunWatch]:
        """Watches of runs that go on, newest first."""
        going = [watch for watch in self.watches.values() if watch.view.state.live]
        return sorted(going, key=lambda watch: watch.folder.id, reverse=True)

    def writer_of(self, resource: str) -> str | None:
        """The stage of a run that goes on and alone may write that; None without one."""
        views = (watch.view for watch in self.live())
        return next((v.stage for v in views if resource in resources(v.stage, v.options)), None)


def resources(stage_id: str, options: Mapping[str, object]) -> list[str]:
    """What a run of that stage with these options alone may write; [] for a stage of another
    version."""
    for spec in catalog.STAGES:
        if spec.id == stage_id:
            defaults = {o.name: o.default for o in spec.options}
            return [template.format_map(defaults | dict(options)) for template in spec.resources]
    return []
