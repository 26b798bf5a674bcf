"""Runs: started, followed, stopped, killed, refused."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine.protocol.commands import Ping, Stop
from engine.protocol.errors import InputError, UsageError
from engine.protocol.events import (
    AnyEvent,
    Failed,
    Finished,
    Note,
    Progress,
    Result,
    Started,
    Stopping,
)
from engine.protocol.workspace import Workspace
from engine.runtime import client
from engine.runtime.client.launch import start_engine
from engine.runtime.client.steer import control_socket_path
from engine.runtime.host.context import Emitter
from engine.runtime.host.control import ControlServer
from engine.runtime.journal import JournalReader, JournalWriter, last_events
from engine.runtime.run_folder import EngineProcess, Job, create_run
from tests.support.disks import small_disk

pytestmark = pytest.mark.slow  # starts processes or nets

SHORT = {"dst_frames": 10}
LONG = {"dst_frames": 600}


def follow_until_end(
    run: client.RunFolder, on_event: Callable[[AnyEvent], None] | None = None
) -> list[AnyEvent]:
    """All events of a run; `on_event` sees each as it comes."""

    async def collect() -> list[AnyEvent]:
        events = []
        async for event in client.follow(run):
            events.append(event)
            if on_event is not None:
                on_event(event)
        return events

    return asyncio.run(asyncio.wait_for(collect(), 60))


def once_working(act: Callable[[], None]) -> Callable[[AnyEvent], None]:
    """Calls `act` at the first progress."""
    acted = []

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, Progress) and not acted:
            acted.append(event)
            act()

    return on_event


def test_a_run_tells_its_story_from_start_to_result(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", SHORT)
    events = follow_until_end(run)
    assert isinstance(events[0], Started) and events[0].stage == "demo-media"
    assert isinstance(events[-1], Finished) and events[-1].exit_status == 0
    assert any(isinstance(event, Result) for event in events)
    numbers = [event.seq for event in events]
    assert numbers == sorted(numbers)
    assert client.run_info(run).state is client.RunState.DONE
    assert (tmp_path / "data_dst.mp4").is_file()


def test_a_late_viewer_is_told_the_same_story(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", SHORT)
    first = [event for event in follow_until_end(run) if event.journalled]
    again = [event for event in follow_until_end(run) if event.journalled]
    kept = [event.seq for event in again]
    assert [event.seq for event in first if event.seq in kept] == kept
    assert isinstance(again[0], Started) and isinstance(again[-1], Finished)


@pytest.mark.parametrize("how", ["command", "SIGTERM", "SIGINT"])
def test_a_stop_ends_with_130_and_nothing_half_written(tmp_path: Path, how: str) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", LONG)

    def stop() -> None:
        if how == "command":
            client.send(run, Stop())
        else:
            os.kill(run.process().pid, signal.Signals[how])

    events = follow_until_end(run, once_working(stop))
    assert events[-1].exit_status == 130
    assert any(isinstance(event, Stopping) for event in events)
    assert client.run_info(run).state is client.RunState.STOPPED
    seen = max(event.done for event in events if isinstance(event, Progress))
    progress = client.run_info(run).progress
    assert progress is not None and progress.done >= seen
    left = [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert all(not name.startswith(".") and "dst" not in name for name in left)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_before_the_engine_can_listen_is_not_lost(
    tmp_path: Path, number: signal.Signals
) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", LONG)
    os.kill(run.process().pid, number)
    os.kill(run.process().pid, number)
    assert follow_until_end(run)[-1].exit_status == 130
    assert list(tmp_path.iterdir()) == [tmp_path / ".facewright"]


def test_an_engine_whose_starter_was_killed_at_once_is_known_all_the_same(tmp_path: Path) -> None:
    run = create_run(Workspace(tmp_path), Job("demo-media", str(tmp_path), dict(LONG)))
    start_engine(run)
    run.process_path.unlink()
    seen = []

    def look() -> None:
        seen.append(client.run_info(run).state)
        client.send(run, Stop())

    follow_until_end(run, once_working(look))
    assert seen == [client.RunState.RUNNING] and run.process() is not None


def test_an_engine_that_cannot_make_its_socket_says_why(tmp_path: Path) -> None:
    run = create_run(Workspace(tmp_path), Job("demo-media", str(tmp_path), dict(SHORT)))
    run.socket_pointer.mkdir()
    start_engine(run)
    first, last = follow_until_end(run)
    assert isinstance(last, Failed) and last.exit_status == 3 and "control.path" in last.message
    assert isinstance(first, Started) and 0 < first.t <= last.t


def test_a_killed_engine_is_recognised_and_reported_with_a_remedy(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", LONG)
    events = follow_until_end(run, once_working(lambda: os.kill(run.process().pid, signal.SIGKILL)))
    last = events[-1]
    assert (
        isinstance(last, Failed)
        and last.code == "crashed"
        and "start the stage again" in last.remedy
    )
    assert client.run_info(run).state is client.RunState.CRASHED


def test_a_second_run_for_the_same_files_is_refused_naming_the_first(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = client.start_run(workspace, "demo-media", LONG)
    seen: list[AnyEvent] = []

    def start_second() -> None:
        seen.extend(follow_in_thread(client.start_run(workspace, "demo-media", SHORT)))
        client.send(first, Stop())

    follow_until_end(first, once_working(start_second))
    refusal = seen[-1]
    assert isinstance(refusal, Failed) and refusal.exit_status == 3 and refusal.refused
    assert first.id in refusal.message


def follow_in_thread(run: client.RunFolder) -> list[AnyEvent]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(follow_until_end, run).result()


def test_bad_values_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="10 to 600"):
        client.start_run(Workspace(tmp_path), "demo-media", {"dst_frames": 9})
    with pytest.raises(UsageError, match="unknown option"):
        client.start_run(Workspace(tmp_path), "demo-media", {"dst_frame": 10})
    with pytest.raises(InputError, match="no workspace"):
        client.start_run(Workspace(tmp_path / "none"), "demo-media", SHORT)
    assert list(tmp_path.iterdir()) == []


def test_run_folder_and_socket_belong_to_the_user_alone(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", LONG)
    modes = {}

    def look() -> None:
        modes["folder"] = stat.S_IMODE(run.path.stat().st_mode)
        modes["socket"] = stat.S_IMODE(Path(control_socket_path(run)).stat().st_mode)
        client.send(run, Stop())

    follow_until_end(run, once_working(look))
    assert modes == {"folder": 0o700, "socket": 0o600}


def test_a_workspace_with_a_very_long_path_can_still_be_steered(tmp_path: Path) -> None:
    root = tmp_path.joinpath(*["a-long-folder-name-" + "x" * 60] * 3)
    root.mkdir(parents=True)
    run = client.start_run(Workspace(root), "demo-media", LONG)
    events = follow_until_end(run, once_working(lambda: client.send(run, Stop())))
    assert events[-1].exit_status == 130


def test_garbage_on_the_socket_is_answered_and_harms_nothing(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", LONG)
    answers: list[bytes] = []

    def garble() -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(control_socket_path(run))
            connection.sendall(b'{"cmd":"rm -rf"}\n\xff\xfe\n')
            while answers.count(b"") < 1 and b"".join(answers).count(b'"ack"') < 2:
                answers.append(connection.recv(65536))
        client.send(run, Ping())
        client.send(run, Stop())

    events = follow_until_end(run, once_working(garble))
    assert b"not a command" in b"".join(answers)
    assert events[-1].exit_status == 130


def test_a_disk_that_cannot_hold_sockets_is_worked_on_by_one_elsewhere(tmp_path: Path) -> None:
    run = create_run(Workspace(tmp_path), Job("demo-media", str(tmp_path), dict(LONG)))
    (run.path / "control.sock").mkdir()  # as good as a disk that refuses
    start_engine(run)
    places = []

    def stop() -> None:
        places.append(Path(control_socket_path(run)))
        client.send(run, Stop())

    assert follow_until_end(run, once_working(stop))[-1].exit_status == 130
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(run.process().pid).wait(timeout=10)
    assert not places[0].is_relative_to(tmp_path) and not places[0].parent.exists()


def test_a_viewer_that_the_engine_has_no_place_for_waits_before_it_asks_again(
    tmp_path: Path,
) -> None:
    run = create_run(Workspace(tmp_path), Job("demo-media", str(tmp_path), dict(LONG)))
    arrivals = []

    async def turned_away() -> None:
        async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrivals.append(time.monotonic())
            writer.close()

        run.socket_pointer.write_text(f"{short}/socket")
        async with await asyncio.start_unix_server(close, f"{short}/socket"):
            events = client.follow(run)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(anext(events), 1.0)

    with tempfile.TemporaryDirectory() as short:
        asyncio.run(turned_away())
    assert 1 <= len(arrivals) <= 5


def test_a_run_whose_last_words_are_many_notes_is_running(tmp_path: Path) -> None:
    run = create_run(Workspace(tmp_path), Job("demo-media", str(tmp_path), {}))
    me = psutil.Process()
    run.write_process(EngineProcess(me.pid, me.create_time(), "here"))
    journal = JournalWriter(run.journal_path)
    for number in range(400):
        journal.append(Note(text=f"picture {number} has no face, which is told at some length"))
    journal.close()
    assert client.run_info(run).state is client.RunState.RUNNING


def test_a_command_to_a_run_that_is_over_says_so(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", SHORT)
    follow_until_end(run)
    with pytest.raises(InputError, match=run.id):
        client.send(run, Ping())


def test_a_journal_on_a_full_disk_still_holds_how_the_run_ended(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as root:
        journal = JournalWriter(root / "events.jsonl")
        fill(root / "other")
        for number in range(20):
            journal.append(Progress(done=number))
        fill(root / "another")
        assert journal.append(Failed(exit_status=3, message="the disk is full"))
        [last] = last_events(root / "events.jsonl")[-1:]
        assert isinstance(last, Failed)
        journal.close()
        assert sorted(path.name for path in root.iterdir()) == ["another", "events.jsonl", "other"]


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_nothing_follows_the_last_event_of_a_run(tmp_path: Path) -> None:
    run = create_run(Workspace(tmp_path), Job("demo-media", str(tmp_path), {}))
    control = ControlServer(run, threading.Event())
    emitter = Emitter(JournalWriter(run.journal_path), control)
    emitter.emit(Finished(exit_status=0))
    emitter.emit(Stopping(), live=True)
    control.close()
    assert client.run_info(run).state is client.RunState.DONE


def test_the_journal_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    journal = tmp_path / "events.jsonl"
    journal.write_bytes(b'{"ev":"finished","exit_status":0}\n{"ev":"prog')
    writer = JournalWriter(journal)
    writer.append(Finished(exit_status=130))
    writer.append(Finished(exit_status=4))
    assert [event.exit_status for event in JournalReader(journal).new_events()] == [0, 4]


def test_a_replayed_journal_gives_the_events_in_order(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "demo-media", SHORT)
    follow_until_end(run)

    async def play() -> list[AnyEvent]:
        return [event async for event in client.replay_journal(run.journal_path, speed=0)]

    played = asyncio.run(play())
    assert [event.seq for event in played] == [
        event.seq for event in JournalReader(run.journal_path).new_events()
    ]


@pytest.mark.parametrize("free_blocks", [0, 1, 2, 3])
def test_a_disk_without_room_for_a_run_is_told_and_left_as_it_was(
    tmp_path: Path, free_blocks: int
) -> None:
    with small_disk(tmp_path / "disk", "64k") as root:
        (root / "other").write_bytes(bytes(64 * 1024 - 4096 * free_blocks))
        with pytest.raises(InputError, match="disk is full"):
            client.start_run(Workspace(root), "demo-media", SHORT)
        assert [path.name for path in root.iterdir()] == ["other"]


@pytest.mark.parametrize("free_blocks", [0, 1])
def test_a_disk_that_fills_up_during_the_start_leaves_no_engine_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_blocks: int
) -> None:
    monkeypatch.setattr("engine.protocol.needs._ROOM_FOR_A_RUN_BYTES", 0)
    before = set(psutil.Process().children())  # engines of other tests may still be leaving
    with small_disk(tmp_path / "disk", "64k") as root:
        (root / "other").write_bytes(bytes(64 * 1024 - 4096 * free_blocks))
        with pytest.raises(InputError, match="disk is full"):
            client.start_run(Workspace(root), "demo-media", SHORT)
        assert [path.name for path in root.iterdir()] == ["other"]
        assert set(psutil.Process().children()) <= before
