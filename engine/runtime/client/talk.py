"""A lasting connection to a run's engine, for screens that steer it by the key: events without
polling, commands without waiting for an answer each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence

from engine.protocol.commands import Command
from engine.protocol.errors import StageError
from engine.protocol.events import AnyEvent
from engine.protocol.wire import MAX_LINE_BYTES, decode_event, encode
from engine.runtime.client.steer import control_socket_path
from engine.runtime.run_folder import RunFolder

_RECONNECT_S = 0.2


class Talk:
    """greeting: what is sent first at each connection, asked for when there is one."""

    def __init__(self, run: RunFolder, greeting: Callable[[], Sequence[Command]]) -> None:
        self._run = run
        self._greeting = greeting
        self._writer: asyncio.StreamWriter | None = None

    @property
    def is_connected(self) -> bool:
        return self._writer is not None

    def send(self, commands: Sequence[Command]) -> bool:
        """Send commands in this order; whether there is a connection that takes them."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(b"".join(map(encode, commands)))
        return True

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """What the engine tells while it is connected, answers (`Ack`) included. Connects as soon
        as there is an engine, and again when the connection breaks; ends by being cancelled."""
        while True:
            with contextlib.suppress(OSError, StageError, ValueError):  # connect again
                async with contextlib.aclosing(self._events_of_one_connection()) as events:
                    async for event in events:
                        yield event
            await asyncio.sleep(_RECONNECT_S)

    async def _events_of_one_connection(self) -> AsyncGenerator[AnyEvent, None]:
        path = control_socket_path(self._run)
        reader, self._writer = await asyncio.open_unix_connection(path, limit=MAX_LINE_BYTES)
        try:
            self.send(self._greeting())
            while line := await reader.readline():
                yield decode_event(line)
        finally:
            self._writer.close()
            self._writer = None
