"""The control socket: viewers connect to get live events and to send commands.

One thread serves all. It never makes the stage wait: what a slow viewer does not read is dropped
for that viewer (the journal and the model's history keep everything).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import struct
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

import msgspec

from engine.protocol.commands import Command, Ping, Stop, ViewerCommand, ViewerLeft
from engine.protocol.errors import StageError
from engine.protocol.events import Ack, Event
from engine.protocol.files import write_atomically
from engine.protocol.wire import MAX_LINE_BYTES, decode_command, encode
from engine.runtime.run_folder import RunFolder

_SOCKET_NAME = "control.sock"
_MAX_SOCKET_PATH = 100  # bytes; the kernel's limit is 107
_MAX_UNREAD_BYTES = 1 << 20  # per viewer
_MAX_VIEWERS = 64
MOST_WAITING_COMMANDS = 1000  # more are refused: what was acknowledged is never forgotten


class _Viewer:
    """number: of all connections of the run. is_known: it sent a `ViewerCommand`."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.connection = connection
        self.number = number
        self.is_known = False
        self.incoming = b""
        self.outgoing: deque[bytes] = deque()
        self.unread = 0

    def queue(self, line: bytes) -> None:
        if self.unread + len(line) <= _MAX_UNREAD_BYTES:
            self.outgoing.append(line)
            self.unread += len(line)


class ControlServer:
    """Listens for viewers of one run. `commands` collects what they sent; `stop` is set by Stop."""

    def __init__(self, run: RunFolder, stop: threading.Event) -> None:
        self._stop = stop
        self._run_path = run.path
        self._commands: deque[Command] = deque()
        self._arrived = threading.Event()
        self._viewers: dict[socket.socket, _Viewer] = {}
        self._numbers = itertools.count(1)
        self._broadcasts: deque[tuple[bytes, int | None]] = deque(maxlen=10_000)
        self._selector = selectors.DefaultSelector()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._listener, self._socket_path = _listen_for(run)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        write_atomically(run.socket_pointer, str(self._socket_path).encode())
        self._closing = False
        self._watched_at = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def broadcast(self, event: Event, to: int | None = None) -> None:
        """Give the event to every viewer, or to the one of that number; returns at once."""
        self._broadcasts.append((encode(event), to))
        self._wake()

    def take_commands(self) -> list[Command]:
        """The commands since the last call, without Stop and Ping."""
        self._arrived.clear()
        taken = []
        while self._commands:
            taken.append(self._commands.popleft())
        return taken

    def wait_for_commands(self, timeout_s: float) -> bool:
        """Wait for a command or `wake_waiting`; whether one came. True at once for what came since
        `take_commands`."""
        return self._arrived.wait(timeout_s)

    def wake_waiting(self) -> None:
        """End `wait_for_commands`, from any thread."""
        self._arrived.set()

    def unwatched_s(self) -> float:
        """How long no viewer has been connected, in seconds; 0 while there is one."""
        return 0.0 if self._viewers else time.monotonic() - self._watched_at

    def close(self) -> None:
        """Deliver what is queued (for at most a second) and go."""
        self._closing = True
        self._wake()
        self._thread.join(timeout=2.0)
        with contextlib.suppress(OSError):
            self._socket_path.unlink()
            if self._socket_path.parent != self._run_path:
                self._socket_path.parent.rmdir()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_in.send(b"x")

    def _serve(self) -> None:
        while True:
            for key, mask in self._selector.select(timeout=1.0):
                connection = key.fileobj
                if connection is self._listener:
                    self._accept()
                elif connection is self._wake_out:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_out.recv(4096)
                elif isinstance(connection, socket.socket):
                    self._exchange(self._viewers[connection], mask)
            self._spread()
            if self._closing:
                self._finish()
                return

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if len(self._viewers) >= _MAX_VIEWERS or not _same_user(connection):
            connection.close()
            return
        connection.setblocking(False)
        self._viewers[connection] = _Viewer(connection, next(self._numbers))
        self._selector.register(connection, selectors.EVENT_READ)

    def _exchange(self, viewer: _Viewer, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._write(viewer)
            if mask & selectors.EVENT_READ:
                self._read(viewer)
        except BlockingIOError:
            return
        except OSError:
            self._read_rest(viewer)
            self._drop(viewer)

    def _read_rest(self, viewer: _Viewer) -> None:
        """What a viewer sent that is gone now, and takes no answers any more, was meant."""
        with contextlib.suppress(OSError):
            while viewer.connection in self._viewers:
                self._read(viewer)

    def _read(self, viewer: _Viewer) -> None:
        data = viewer.connection.recv(65536)
        if not data:
            self._drop(viewer)
            return
        *lines, viewer.incoming = (viewer.incoming + data).split(b"\n")
        if len(viewer.incoming) > MAX_LINE_BYTES:
            self._drop(viewer)
            return
        for line in lines:
            viewer.queue(encode(self._take(line, viewer)))
        self._want(viewer)

    def _take(self, line: bytes, viewer: _Viewer) -> Ack:
        try:
            command = decode_command(line)
        except StageError as error:
            return Ack(error=error.message)
        if isinstance(command, Stop):
            self._stop.set()
        elif isinstance(command, Ping):
            return Ack()
        elif len(self._commands) >= MOST_WAITING_COMMANDS:
            return Ack(error=f"{MOST_WAITING_COMMANDS} commands wait already; send it again later")
        elif isinstance(command, ViewerCommand):
            viewer.is_known = True
            self._put(msgspec.structs.replace(command, sender=viewer.number))
        else:
            self._put(command)
        return Ack()

    def _put(self, command: Command) -> None:
        self._commands.append(command)
        self._arrived.set()

    def _write(self, viewer: _Viewer) -> None:
        while viewer.outgoing:
            line = viewer.outgoing[0]
            sent = viewer.connection.send(line)
            viewer.unread -= sent
            if sent < len(line):
                viewer.outgoing[0] = line[sent:]
                break
            viewer.outgoing.popleft()
        self._want(viewer)

    def _want(self, viewer: _Viewer) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if viewer.outgoing else 0)
        if viewer.connection in self._viewers:
            self._selector.modify(viewer.connection, wanted)

    def _spread(self) -> None:
        while self._broadcasts:
            line, to = self._broadcasts.popleft()
            for viewer in self._viewers.values():
                if to in (None, viewer.number):
                    viewer.queue(line)
        for viewer in list(self._viewers.values()):
            if viewer.outgoing:
                self._exchange(viewer, selectors.EVENT_WRITE)

    def _drop(self, viewer: _Viewer) -> None:
        if self._viewers.pop(viewer.connection, None) is not None:
            self._selector.unregister(viewer.connection)
            viewer.connection.close()
            self._watched_at = time.monotonic()
            if viewer.is_known:
                self._put(ViewerLeft(sender=viewer.number))

    def _finish(self) -> None:
        for viewer in list(self._viewers.values()):
            viewer.connection.settimeout(0.5)
            with contextlib.suppress(OSError):
                viewer.connection.sendall(b"".join(viewer.outgoing))
            self._drop(viewer)
        self._listener.close()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()


def _listen_for(run: RunFolder) -> tuple[socket.socket, Path]:
    """A listening socket in the run folder, or elsewhere if its path is too long for one or its
    disk cannot hold one (exFAT, network shares)."""
    inside = run.path / _SOCKET_NAME
    if len(os.fsencode(inside)) <= _MAX_SOCKET_PATH:
        with contextlib.suppress(OSError):
            return _listen(inside), inside
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = runtime if runtime and os.access(runtime, os.W_OK | os.X_OK) else None
    outside = Path(tempfile.mkdtemp(prefix="facewright-", dir=base)) / _SOCKET_NAME
    return _listen(outside), outside


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # the socket is born with rights for its owner alone
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.listen(16)
    listener.setblocking(False)
    return listener


def _same_user(connection: socket.socket) -> bool:
    """The peer's user is ours (asked of the kernel), or root."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # elsewhere the socket's mode 0600 and the folder's 0700 are the guard
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, uid, _ = struct.unpack("3i", credentials)
    return uid in (os.getuid(), 0)
