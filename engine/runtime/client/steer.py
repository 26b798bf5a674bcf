"""Commands to a running engine, over its control socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket

from engine.protocol.commands import Command, Stop
from engine.protocol.errors import InputError, StageError
from engine.protocol.events import Ack
from engine.protocol.wire import MAX_LINE_BYTES, decode_event, encode
from engine.runtime.run_folder import RunFolder


def send(run: RunFolder, command: Command, *, timeout_s: float = 5.0) -> None:
    """Send `command` and wait until the engine took it.

    Raises `InputError` if the run is over, `StageError` if the engine refuses the command. A `Stop`
    that the socket cannot carry (an engine still starting) goes as SIGTERM, which means the same.
    """
    try:
        answer = _exchange(run, command, timeout_s)
    except OSError as error:
        if isinstance(command, Stop) and _terminate(run):
            return
        raise InputError(
            f"run {run.id} cannot be reached: {error}", "it may be over: `facewright runs`"
        ) from None
    if answer.error:
        raise StageError(f"run {run.id} refused: {answer.error}")


def control_socket_path(run: RunFolder) -> str:
    """Where the run's engine listens. Raises `OSError` before it does."""
    return run.socket_pointer.read_text().strip()


def _exchange(run: RunFolder, command: Command, timeout_s: float) -> Ack:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(control_socket_path(run))
        connection.sendall(encode(command))
        buffered = b""
        while True:
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("the engine closed the connection")
            *lines, buffered = (buffered + data).split(b"\n")
            if len(buffered) > MAX_LINE_BYTES:
                raise ConnectionError("the answer is too long")
            for line in lines:  # live events come on the same connection
                event = decode_event(line)
                if isinstance(event, Ack):
                    return event


def _terminate(run: RunFolder) -> bool:
    process = run.process()
    if process is None or not process.alive():
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
        return True
    return False
