from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace as struct_replace

from engine.protocol.commands import Preview, Save, ViewerLeft
from engine.protocol.events import Ack, AnyEvent, MergeRefused
from engine.protocol.merge_commands import MergeGo, MergeView
from engine.protocol.wire import encode
from engine.runtime.client import RunFolder, Talk
from engine.runtime.host.control import MOST_WAITING_COMMANDS, ControlServer


def run_folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    return run


@asynccontextmanager
async def heard(talk: Talk) -> AsyncIterator[list[AnyEvent]]:
    """What the engine tells, as it comes."""
    events: list[AnyEvent] = []

    async def listen() -> None:
        async for event in talk.events():
            events.append(event)

    task = asyncio.create_task(listen())
    yield events
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(true) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


def taken_by(server: ControlServer, wanted: list) -> list:
    """Commands that the engine takes, in order, until they are as many as the wanted ones; that a
    viewer left counts only where it is wanted."""
    counts_leaving = any(isinstance(command, ViewerLeft) for command in wanted)
    taken = []
    while len(taken) < len(wanted) and server.wait_for_commands(10):
        taken += [
            command
            for command in server.take_commands()
            if counts_leaving or not isinstance(command, ViewerLeft)
        ]
    return taken


async def test_the_greeting_is_sent_first_and_commands_keep_their_order(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    server = ControlServer(run, threading.Event())
    talk = Talk(run, lambda: [MergeView(width=100)])
    async with heard(talk):
        await until(lambda: talk.is_connected)
        assert talk.send([MergeGo(1), Save()])
        wanted = [MergeView(width=100, sender=1), MergeGo(1, sender=1), Save()]
        assert await asyncio.to_thread(taken_by, server, wanted) == wanted
    server.close()


async def test_live_events_and_answers_are_heard(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    server = ControlServer(run, threading.Event())
    talk = Talk(run, lambda: [Preview()])
    async with heard(talk) as events:
        await until(lambda: Ack() in events)
        server.broadcast(MergeRefused(command_seq=3, message="no"))
        await until(lambda: MergeRefused(command_seq=3, message="no") in events)
    server.close()


async def test_of_more_commands_than_can_wait_the_last_are_refused_and_none_taken_is_forgotten(
    tmp_path: Path,
) -> None:
    run = run_folder(tmp_path)
    server = ControlServer(run, threading.Event())
    talk = Talk(run, list)
    commands = [MergeGo(frame, sender=1) for frame in range(MOST_WAITING_COMMANDS + 2)]
    async with heard(talk) as events:
        await until(lambda: talk.is_connected)
        assert talk.send(commands)
        await until(lambda: sum(isinstance(event, Ack) for event in events) == len(commands))
    assert server.take_commands()[:MOST_WAITING_COMMANDS] == commands[:MOST_WAITING_COMMANDS]
    assert [bool(event.error) for event in events if isinstance(event, Ack)] == [
        *[False] * MOST_WAITING_COMMANDS,
        *[True] * 2,
    ]
    server.close()


async def test_an_engine_that_comes_later_or_again_is_greeted_each_time(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    talk = Talk(run, lambda: [MergeGo(5)])
    async with heard(talk):
        assert not talk.send([Save()])
        for _ in range(2):
            server = ControlServer(run, threading.Event())
            wanted = [MergeGo(5, sender=1)]
            assert await asyncio.to_thread(taken_by, server, wanted) == wanted
            server.close()
            await until(lambda: not talk.is_connected)


async def test_viewers_are_told_apart_and_answered_apart_and_their_going_is_told(
    tmp_path: Path,
) -> None:
    run = run_folder(tmp_path)
    server = ControlServer(run, threading.Event())
    one, other = Talk(run, lambda: [MergeGo(1, sender=99)]), Talk(run, lambda: [MergeGo(2)])
    async with heard(one) as events:
        wanted: list = [MergeGo(1, sender=1)]
        assert await asyncio.to_thread(taken_by, server, wanted) == wanted
        async with heard(other) as other_events:
            wanted = [MergeGo(2, sender=2)]
            assert await asyncio.to_thread(taken_by, server, wanted) == wanted
            server.broadcast(MergeRefused(command_seq=1, message="for one"), to=1)
            server.broadcast(MergeRefused(command_seq=1, message="for the other"), to=2)
            server.broadcast(MergeRefused(command_seq=1, message="for all"))
            await until(lambda: len(events) == len(other_events) == 3)
        assert [event.message for event in events[1:]] == ["for one", "for all"]
        assert [event.message for event in other_events[1:]] == ["for the other", "for all"]
        wanted = [ViewerLeft(sender=2)]
        assert await asyncio.to_thread(taken_by, server, wanted) == wanted
    server.close()


def test_what_a_killed_viewer_sent_arrives_though_it_takes_no_answers(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    server = ControlServer(run, threading.Event())
    path = (run.path / "control.sock").as_posix()
    for number in range(30):
        viewer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        viewer.connect(path)
        viewer.sendall(encode(Save()))
        assert taken_by(server, [Save()]) == [Save()]
        for _ in range(300):  # more than the socket holds: the engine waits to go on
            server.broadcast(MergeRefused(command_seq=0, message="x" * 3000))
        viewer.sendall(b"".join(encode(MergeGo(frame)) for frame in range(number + 1)))
        viewer.close()
        wanted = [MergeGo(frame) for frame in range(number + 1)]
        taken = [
            struct_replace(c, sender=0) for c in taken_by(server, wanted) if c.__class__ is MergeGo
        ]
        assert taken == wanted
    server.close()


async def test_how_long_nobody_has_looked_is_known(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    server = ControlServer(run, threading.Event())
    await until(lambda: server.unwatched_s() > 0.05)
    talk = Talk(run, list)
    async with heard(talk):
        await until(lambda: server.unwatched_s() == 0)
    await until(lambda: 0 < server.unwatched_s() < 5)
    server.close()
