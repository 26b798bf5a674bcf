"""A real label session behind the run of a test's app, in this process: no start to wait for."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psutil

from engine.protocol.commands import Command, Stop
from engine.protocol.events import Ack, Event, Started
from engine.protocol.wire import decode_command, encode
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder
from engine.runtime.run_folder import EngineProcess, Job
from engine.stages.label_session.run import open_session
from tests.support.context import RecordingContext, context_for

RUN_ID = "20260101-140000-label-session-00aa"


def label_run(workspace: Workspace, side: str) -> RunFolder:
    """The folder of a run of which this process is the engine."""
    run = RunFolder(workspace.runs / RUN_ID)
    run.path.mkdir(parents=True)
    options = {"side": side}
    job = Job("label-session", str(workspace.root), options, created=1.0)
    run.job_path.write_bytes(msgspec.json.encode(job))
    pid_started = psutil.Process().create_time()
    started = Started(
        run=run.id,
        stage="label-session",
        options=options,
        pid=os.getpid(),
        pid_started=pid_started,
        t=1.0,
    )
    run.journal_path.write_bytes(encode(started))
    run.log_path.write_text("loading\n")
    run.write_process(EngineProcess(os.getpid(), pid_started, socket.gethostname()))
    return run


@asynccontextmanager
async def label_engine(workspace: Workspace, side: str = "dst") -> AsyncIterator[list[Command]]:
    """Serves that side's faces at the run's socket; gives the commands that came."""
    run = label_run(workspace, side)
    loop = asyncio.get_running_loop()
    context: RecordingContext = context_for(workspace.root, "label-session", side=side)
    writers: list[asyncio.StreamWriter] = []
    taken: list[Command] = []

    def tell(event: Event, to: int | None = None) -> None:
        line = encode(event)
        loop.call_soon_threadsafe(lambda: [writer.write(line) for writer in writers])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while line := await reader.readline():
            command = decode_command(line)
            taken.append(command)
            writer.write(encode(Ack()))
            if not isinstance(command, Stop):
                context.queue = [*context.queue, command]
                context.wake()
        writers.remove(writer)
        writer.close()

    context.tell = tell  # type: ignore[method-assign]
    socket_path = Path(tempfile.mkdtemp()) / "s"  # short: 107 bytes is the limit
    with open_session(context) as session:
        thread = threading.Thread(target=session.run)
        thread.start()
        server = await asyncio.start_unix_server(serve, socket_path)
        run.socket_pointer.write_text(str(socket_path))
        try:
            yield taken
        finally:
            server.close()
            context.stop_requested = True
            context.wake()
            await asyncio.to_thread(thread.join)
            shutil.rmtree(socket_path.parent)
