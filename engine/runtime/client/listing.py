"""What runs there are and how each stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import StrEnum

from engine.protocol.errors import EXIT_STOPPED, InputError
from engine.protocol.events import Failed, Finished, Progress
from engine.protocol.workspace import Workspace
from engine.runtime.client.crash import crash_report
from engine.runtime.journal import last_events
from engine.runtime.run_folder import Job, RunFolder, run_ids

# A run whose engine is not seen this long after its folder was made never started.
_START_GRACE_S = 10.0


class RunState(StrEnum):
    """How a run stands."""

    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    REFUSED = "refused"
    CRASHED = "crashed"

    @property
    def live(self) -> bool:
        return self in (RunState.STARTING, RunState.RUNNING)


@dataclass(frozen=True)
class RunInfo:
    """A run at a glance; times in seconds since the epoch."""

    folder: RunFolder
    job: Job
    state: RunState
    started_at: float
    ended_at: float | None = None
    progress: Progress | None = None
    message: str = ""
    remedy: str = ""

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def stage(self) -> str:
        return self.job.stage


def list_runs(workspace: Workspace) -> list[RunInfo]:
    """All runs of the workspace, newest first; folders without a readable job are left out."""
    infos = []
    for run_id in reversed(run_ids(workspace)):
        try:
            infos.append(run_info(RunFolder(workspace.runs / run_id)))
        except InputError:
            continue  # another program's folder, or one being made this moment
    return infos


def run_info(run: RunFolder) -> RunInfo:
    """How a run stands. Raises `InputError` if its job cannot be read."""
    job = run.job()
    process = run.process()
    alive = process is not None and process.alive()
    events = last_events(run.journal_path)
    progress = next((e for e in reversed(events) if isinstance(e, Progress)), None)
    info = RunInfo(run, job, RunState.STARTING, started_at=job.created, progress=progress)
    if events and isinstance(events[-1], Finished | Failed):
        return _ended(info, events[-1])
    if alive:
        return replace(info, state=RunState.RUNNING if events else RunState.STARTING)
    if process is None and time.time() - job.created < _START_GRACE_S:
        return info
    crash = crash_report(run)
    return replace(
        info,
        state=RunState.CRASHED,
        ended_at=events[-1].t if events else job.created,
        message=crash.message,
        remedy=crash.remedy,
    )


def _ended(info: RunInfo, last: Finished | Failed) -> RunInfo:
    if isinstance(last, Finished):
        state = RunState.STOPPED if last.exit_status == EXIT_STOPPED else RunState.DONE
        return replace(info, state=state, ended_at=last.t)
    state = RunState.REFUSED if last.refused else RunState.FAILED
    return replace(info, state=state, ended_at=last.t, message=last.message, remedy=last.remedy)
