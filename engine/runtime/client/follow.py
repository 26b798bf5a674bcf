"""Following a run: its journal from the start, and what is live only, until its last event."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from engine.protocol.errors import StageError
from engine.protocol.events import LAST_EVENTS, Ack, AnyEvent, Failed, Progress
from engine.protocol.wire import MAX_LINE_BYTES, decode_event
from engine.runtime.client.crash import crash_report
from engine.runtime.client.listing import RunState, run_info
from engine.runtime.client.steer import control_socket_path
from engine.runtime.journal import JournalReader
from engine.runtime.run_folder import RunFolder

_POLL_S = 0.1
_RECONNECT_S = 0.3
_LIVENESS_EVERY = 10  # polls between looks at the engine's process


async def follow(run: RunFolder) -> AsyncIterator[AnyEvent]:
    """Every event of the run: the journal's, then live ones as they happen.

    Losses and fast progress come over the control socket as long as someone listens there; all else
    is read from the journal, so nothing is missed however late one attaches. Ends after the last
    event; an engine found dead yields a `Failed` with code "crashed".
    """
    journal = JournalReader(run.journal_path)
    live: asyncio.Queue[AnyEvent] = asyncio.Queue(maxsize=10_000)
    listener = asyncio.create_task(_listen(run, live))
    newest_progress = -1
    polls = 0
    try:
        while True:
            batch = sorted([*journal.new_events(), *_drain(live)], key=lambda event: event.seq)
            for event in batch:
                if isinstance(event, Progress):
                    if event.seq <= newest_progress:
                        continue  # the journal's copy of one that came live
                    newest_progress = event.seq
                yield event
                if isinstance(event, LAST_EVENTS):
                    return
            polls += 1
            if not batch and polls % _LIVENESS_EVERY == 0:
                dead = await asyncio.to_thread(_found_dead, run, journal)
                if dead is not None:
                    for event in dead:
                        yield event
                    return
            await asyncio.sleep(_POLL_S)
    finally:
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener


async def replay_journal(path: Path, *, speed: float = 1.0) -> AsyncIterator[AnyEvent]:
    """A journal (or transcript that also holds live events) played as if an engine made it.

    `speed` 2.0 is twice as fast; 0 means without any pause.
    """
    previous: float | None = None
    for event in JournalReader(path).new_events():
        if speed > 0 and previous is not None:
            await asyncio.sleep(max(0.0, event.t - previous) / speed)
        previous = event.t
        yield event


def _found_dead(run: RunFolder, journal: JournalReader) -> list[AnyEvent] | None:
    """None while the engine lives; else what its journal still held, and the report of its death
    unless the journal ends properly."""
    if run_info(run).state.live:
        return None
    events: list[AnyEvent] = list(journal.new_events())
    if not any(isinstance(event, LAST_EVENTS) for event in events):
        state = run_info(run).state
        if state is RunState.CRASHED:
            events.append(crash_report(run))
        else:
            events.append(Failed(exit_status=4, message=f"run {run.id} is {state}", code=state))
    return events


def _drain(live: asyncio.Queue[AnyEvent]) -> list[AnyEvent]:
    events = []
    while not live.empty():
        events.append(live.get_nowait())
    return events


async def _listen(run: RunFolder, live: asyncio.Queue[AnyEvent]) -> None:
    """Put live events on the queue; connects again until cancelled. When nobody empties the queue
    the oldest give way: whoever needs every loss reads the model's history."""
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(
                control_socket_path(run), limit=MAX_LINE_BYTES
            )
        except OSError:
            await asyncio.sleep(_RECONNECT_S)
            continue
        try:
            with contextlib.suppress(OSError, StageError, ValueError):  # connect again
                while line := await reader.readline():
                    event = decode_event(line)
                    if live.full():
                        live.get_nowait()
                    if not isinstance(event, Ack):
                        live.put_nowait(event)
        finally:
            writer.close()
        await asyncio.sleep(_RECONNECT_S)  # the engine closed: it ends, or has too many viewers
