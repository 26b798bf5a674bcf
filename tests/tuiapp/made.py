"""Tiny workspaces and runs as an engine would have left them."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psutil
from msgspec.structs import replace
from PIL import Image

from engine.protocol.commands import Command
from engine.protocol.events import Ack, AnyEvent, MergeShown, MergeState, MergeStrip, Started
from engine.protocol.manual_commands import ManualView
from engine.protocol.merge_commands import MergeView, SessionCommand
from engine.protocol.wire import decode_command, decode_event, encode
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder
from engine.runtime.run_folder import EngineProcess, Job

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
RUN_IDS = {
    "train-running": "20260101-100000-train-00aa",
    "faces-extract-done": "20260101-090000-faces-extract-00bb",
    "video-extract-failed": "20260101-080000-video-extract-00cc",
    "merge-refused": "20260101-110000-merge-00dd",
    "merge-session": "20260101-130000-merge-session-00ff",
    "faces-manual": "20260101-140000-faces-manual-00ab",
    "faceset-report-done": "20260101-120000-faceset-report-00ee",
}


def made_workspace(root: Path) -> Workspace:
    """Both videos, frames and faces, no model: the next step is training."""
    for side in ("src", "dst"):
        (root / f"data_{side}.mp4").write_bytes(b"x" * 1500)
        aligned = root / f"data_{side}" / "aligned"
        aligned.mkdir(parents=True)
        for n in range(1, 4):
            Image.new("RGB", (8, 8)).save(root / f"data_{side}" / f"{n:05d}.png")
            Image.new("RGB", (8, 8)).save(aligned / f"{n:05d}_0.jpg")
    return Workspace(root)


def made_run(workspace: Workspace, transcript: str, *, alive: bool = False) -> RunFolder:
    """A run with that transcript as its journal; `alive` lends it this process as its engine."""
    run = RunFolder(workspace.runs / RUN_IDS[transcript])
    run.path.mkdir(parents=True)
    events = transcript_events(transcript)
    started = events[0]
    assert isinstance(started, Started)
    started.run = run.id
    root = str(workspace.root)
    job = Job(started.stage, root, started.options, created=events[0].t)
    run.job_path.write_bytes(msgspec.json.encode(job))
    run.journal_path.write_bytes(b"".join(encode(event) for event in events))
    run.log_path.write_text("loading\nfirst line of the log\nlast line of the log\n")
    pid = os.getpid() if alive else 2**22 + 1  # above any pid of a Linux default
    pid_started = psutil.Process(pid).create_time() if alive else time.time()
    run.write_process(EngineProcess(pid, pid_started, socket.gethostname()))
    return run


def add_previews(run: RunFolder) -> None:
    """The pictures that the training transcript tells of: all red, all blue."""
    folder = run.path / "previews"
    folder.mkdir()
    Image.new("RGB", (64, 64), (220, 20, 20)).save(folder / "faces.jpg")
    Image.new("RGB", (64, 64), (20, 20, 220)).save(folder / "masks.jpg")


@asynccontextmanager
async def engine_of(run: RunFolder, tells: Sequence[AnyEvent] = ()) -> AsyncIterator[list[Command]]:
    """A socket that takes commands as the run's engine would; gives the list of those taken,
    without their numbers.

    tells: what it tells a viewer of a session that comes."""
    taken: list[Command] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            taken.append(_plain(decode_command(line)))
            writer.write(encode(Ack()))
            if isinstance(taken[-1], MergeView | ManualView) and taken.count(taken[-1]) == 1:
                writer.write(b"".join(map(encode, tells)))
        writer.close()

    socket_path = Path(tempfile.mkdtemp()) / "s"  # short: 107 bytes is the limit
    server = await asyncio.start_unix_server(serve, socket_path)
    run.socket_pointer.write_text(str(socket_path))
    yield taken
    server.close()
    shutil.rmtree(socket_path.parent)


def _plain(command: Command) -> Command:
    """Without the number that its viewer gave it."""
    return replace(command, seq=0) if isinstance(command, SessionCommand) else command


def add_shown(run: RunFolder) -> list[AnyEvent]:
    """The pictures that the merge session's transcript tells of: all red, all blue; and what it
    tells, of these."""
    told: list[AnyEvent] = []
    for event in transcript_events("merge-session"):
        if isinstance(event, MergeShown | MergeStrip):
            colour = (220, 20, 20) if isinstance(event, MergeShown) else (20, 20, 220)
            path = run.path / event.path
            Image.new("RGB", (event.width, event.height), colour).save(path)
            event.path = str(path)
        if isinstance(event, MergeShown | MergeStrip | MergeState):
            told.append(event)
    return told


def transcript_events(name: str) -> list[AnyEvent]:
    lines = (TRANSCRIPTS / f"{name}.jsonl").read_bytes().splitlines()
    return [decode_event(line) for line in lines]
