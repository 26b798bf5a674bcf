"""The run folder: everything about one execution of a stage, as files.

`job.json` says what to do, `events.jsonl` what happened, `engine.log` what libraries printed,
`engine.json` which process does it, `control.path` where to reach it. The folder belongs to the
user alone (mode 0700).
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from engine.protocol.errors import FacewrightError, InputError, UsageError
from engine.protocol.files import disk_error, write_atomically
from engine.protocol.workspace import Workspace

# A starter blocks these until the engine, which inherits that, can take them: none is lost.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SYSTEM_COUNTS = Path("/proc/vmstat")
_RUN_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9-]+-[0-9a-f]{4}")


class Job(msgspec.Struct):
    """What a run is to do. `options` are complete and checked; `confirmed`: replacing is agreed."""

    stage: str
    workspace: str
    options: dict[str, Any]
    confirmed: bool = False
    created: float = 0.0
    version: int = 1


class EngineProcess(msgspec.Struct):
    """Which process runs a run; the start time guards against reused process ids. oom_kills: how
    many processes the system had killed for lack of memory by then; None if it does not tell."""

    pid: int
    pid_started: float
    host: str
    oom_kills: int | None = None

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = bool(abs(process.create_time() - self.pid_started) < 1.0)
            return same and bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False


def engine_process(pid: int) -> EngineProcess:
    """The running process `pid` of this machine."""
    process = psutil.Process(pid)
    return EngineProcess(process.pid, process.create_time(), socket.gethostname(), oom_kill_count())


def oom_kill_count(path: Path = _SYSTEM_COUNTS) -> int | None:
    """How many processes the system has killed for lack of memory since it started; None if it does
    not tell. Counts those of all containers on the machine (`oom_kill` in Linux's /proc/vmstat)."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    counts = [line.split()[1] for line in lines if line.startswith("oom_kill ")]
    return int(counts[0]) if counts else None


@dataclass(frozen=True)
class RunFolder:
    """One run's folder; making the object touches no disk."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def job_path(self) -> Path:
        return self.path / "job.json"

    @property
    def journal_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log_path(self) -> Path:
        return self.path / "engine.log"

    @property
    def process_path(self) -> Path:
        return self.path / "engine.json"

    @property
    def socket_pointer(self) -> Path:
        """A file that holds the control socket's path: socket paths are limited to 107 bytes, so
        the socket itself may have to lie elsewhere."""
        return self.path / "control.path"

    def job(self) -> Job:
        """The job. Raises `InputError` if the file is missing or not one."""
        try:
            return msgspec.json.decode(self.job_path.read_bytes(), type=Job)
        except (OSError, msgspec.DecodeError) as error:
            raise InputError(
                f"{self.job_path} is not a readable job: {error}", "start the stage again"
            ) from None

    def process(self) -> EngineProcess | None:
        """The engine's process, or None if it has not started."""
        try:
            return msgspec.json.decode(self.process_path.read_bytes(), type=EngineProcess)
        except (OSError, msgspec.DecodeError):
            return None

    def write_process(self, process: EngineProcess) -> None:
        write_atomically(self.process_path, msgspec.json.encode(process))

    def log_tail(self, lines: int = 20) -> list[str]:
        """The last lines of the engine's log."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, self.log_path.stat().st_size - 64 * 1024))
                return log.read().decode(errors="replace").splitlines()[-lines:]
        except OSError:
            return []


def create_run(workspace: Workspace, job: Job) -> RunFolder:
    """A new run folder with its job. Raises `InputError` when it cannot be written."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = RunFolder(workspace.runs / f"{stamp}-{job.stage}-{secrets.token_hex(2)}")
    job.created = time.time()
    try:
        workspace.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.path.mkdir(mode=0o700)
        write_atomically(folder.job_path, msgspec.json.format(msgspec.json.encode(job)))
    except OSError as error:
        raise disk_error(error, folder.path) from error
    except FacewrightError:
        discard_run(workspace, folder)
        raise
    return folder


def discard_run(workspace: Workspace, run: RunFolder) -> None:
    """Remove the folder of a run that was refused, and our state folders if they are empty then:
    a refusal leaves the workspace as it was."""
    shutil.rmtree(run.path, ignore_errors=True)
    for folder in (workspace.runs, workspace.stage_state, workspace.state):
        with contextlib.suppress(OSError):
            folder.rmdir()


def find_run(workspace: Workspace, wanted: str) -> RunFolder:
    """The run with that id, or the one id that starts or ends so. Raises `UsageError`."""
    ids = run_ids(workspace)
    matches = [i for i in ids if i == wanted] or [
        i for i in ids if i.startswith(wanted) or i.endswith(wanted)
    ]
    if len(matches) == 1:
        return RunFolder(workspace.runs / matches[0])
    known = f"`facewright runs -w {shlex.quote(str(workspace.root))}` lists them"
    if matches:
        raise UsageError(f"{wanted!r} fits {len(matches)} runs: {' '.join(matches[:4])}", known)
    raise UsageError(f"no run {wanted!r} in {workspace.root}", known, code="unknown-run")


def run_ids(workspace: Workspace) -> list[str]:
    """All run ids, oldest first."""
    if not workspace.runs.is_dir():
        return []
    return sorted(e.name for e in os.scandir(workspace.runs) if _RUN_ID.fullmatch(e.name))
