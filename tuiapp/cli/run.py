"""`run`, `attach`, `stop`, `replay`: runs started and followed from the shell."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from engine import catalog
from engine.protocol.commands import Stop
from engine.protocol.errors import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, FacewrightError, UsageError
from engine.protocol.events import LAST_EVENTS, AnyEvent, Failed
from engine.protocol.wire import encode
from engine.protocol.workspace import Workspace
from engine.runtime import client
from tuiapp.bridge.run_view import RunView, apply
from tuiapp.cli.arguments import Switches, no_more, read_switches
from tuiapp.cli.goals import values_with_goal
from tuiapp.cli.listing import describe_stage
from tuiapp.cli.progress import ProgressDisplay, quiet_display

Display = Callable[[RunView, AnyEvent], None]


def run(words: list[str]) -> int:
    """`facewright run STAGE -w DIR [--option value ...]`."""
    switches = read_switches(words, ("json", "detach", "yes"))
    if not switches.rest or switches.rest[0].startswith("-"):
        if switches.help:
            return _help()
        raise UsageError("run needs a stage", "`facewright stages` lists them")
    if switches.help:
        return describe_stage(catalog.stage(switches.rest[0]), as_json=switches.json)
    if switches.detach:
        return _detached(_start(switches), switches)
    # A stop that comes before `_follow` can pass it on waits until then.
    signal.pthread_sigmask(signal.SIG_BLOCK, client.STOP_SIGNALS)
    try:
        started = _start(switches)
    except FacewrightError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, client.STOP_SIGNALS)
        raise
    return _follow_to_end(switches.workspace, started, switches.json, stop_on_signal=True)


def _start(switches: Switches) -> client.RunFolder:
    """Start what the words say; with --json a refusal is an event too."""
    try:
        spec = catalog.stage(switches.rest[0])
        values = values_with_goal(spec, switches.rest[1:], switches.workspace)
        return client.start_run(switches.workspace, spec.id, values, confirmed=switches.yes)
    except FacewrightError as error:
        if switches.json:
            _write_line(_as_event(error))
        raise


def attach(words: list[str]) -> int:
    """`facewright attach [RUN] -w DIR`: follow a run; Ctrl-C leaves it running."""
    switches = read_switches(words, ("json",))
    chosen = choose_run(switches, live_first=True)
    return _follow_to_end(switches.workspace, chosen, switches.json, stop_on_signal=False)


def stop(words: list[str]) -> int:
    """`facewright stop [RUN] -w DIR`: save and stop, and wait until that is done."""
    switches = read_switches(words, ("json",))
    chosen = choose_run(switches, live_first=True)
    if not client.run_info(chosen).state.live:
        raise UsageError(f"run {chosen.id} is over", "nothing to stop", code="not-running")
    client.send(chosen, Stop())
    signal.pthread_sigmask(signal.SIG_BLOCK, client.STOP_SIGNALS)  # until `_follow` can take them
    sys.stderr.write(f"stopping {chosen.id}: it saves first\n")
    status = asyncio.run(_follow(chosen, quiet_display, _how_to_end(chosen)))
    if client.run_info(chosen).state.live:
        return EXIT_STOPPED  # Ctrl-C: it is not known to have stopped
    return EXIT_DONE if status == EXIT_STOPPED else status


def _how_to_end(chosen: client.RunFolder) -> str:
    process = chosen.process()
    kill = f": kill -9 {process.pid}" if process else ""
    return f"{chosen.id} was told to stop; if it hangs{kill}, then the last save is what is kept"


def replay(words: list[str]) -> int:
    """`facewright replay JOURNAL [--speed N] [--json]`."""
    switches = read_switches(words, ("json",))
    path, speed = _replay_arguments(switches.rest)
    with _display(switches.json) as display:
        asyncio.run(_feed(client.replay_journal(path, speed=speed), display))
    return EXIT_DONE


def choose_run(switches: Switches, *, live_first: bool) -> client.RunFolder:
    """The run named on the command line; without a name the newest (a live one if there is)."""
    if switches.rest:
        no_more(switches.rest[1:])
        return client.find_run(switches.workspace, switches.rest[0])
    infos = client.list_runs(switches.workspace)
    live = [info for info in infos if info.state.live]
    if not infos:
        raise UsageError(f"no runs in {switches.workspace.root}", "give a workspace with -w DIR")
    return (live if live_first and live else infos)[0].folder


def _help() -> int:
    from tuiapp.cli import HELP

    sys.stdout.write(HELP)
    return EXIT_DONE


def _detached(started: client.RunFolder, switches: Switches) -> int:
    where = f"-w {shlex.quote(str(switches.workspace.root))}"
    if switches.json:
        sys.stdout.write(f'{{"run":"{started.id}"}}\n')
    else:
        sys.stdout.write(f"{started.id}\n")
        sys.stderr.write(
            f"runs on its own; `facewright attach {started.id} {where}` shows it,"
            f" `facewright stop {started.id} {where}` stops it\n"
        )
    return EXIT_DONE


def _follow_to_end(
    workspace: Workspace, started: client.RunFolder, as_json: bool, *, stop_on_signal: bool
) -> int:
    with _display(as_json) as display:
        goes_on = f"{started.id} goes on; `facewright attach` shows it again"
        hint = None if stop_on_signal else goes_on
        try:
            status = asyncio.run(_follow(started, display, hint, stop_on_signal=stop_on_signal))
        except BrokenPipeError:  # `facewright ... --json | head`
            sys.stderr.write(f"{goes_on}\n")
            raise
    if stop_on_signal and client.run_info(started).state is client.RunState.REFUSED:
        client.discard_run(workspace, started)
    return status


async def _follow(
    started: client.RunFolder,
    display: Display,
    leave_hint: str | None,
    *,
    stop_on_signal: bool = False,
) -> int:
    """Feed the run's events to `display` until its end; returns its exit status.

    A first Ctrl-C or SIGTERM asks the engine to save and stop (or, when only attached, leaves); a
    second leaves the engine to finish that alone.
    """
    task = asyncio.ensure_future(_feed(client.follow(started), display))
    interrupts = 0

    def interrupted() -> None:
        nonlocal interrupts
        interrupts += 1
        if stop_on_signal and interrupts == 1:
            sys.stderr.write("stopping: saving first (once more to leave it alone)\n")
            asyncio.get_running_loop().run_in_executor(None, _ask_to_stop, started)
        else:
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in client.STOP_SIGNALS:
        loop.add_signal_handler(number, interrupted)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, client.STOP_SIGNALS)
    try:
        return await task
    except asyncio.CancelledError:
        sys.stderr.write(f"{leave_hint or f'{started.id} is saving and stops by itself'}\n")
        return EXIT_STOPPED if stop_on_signal else EXIT_DONE


def _ask_to_stop(started: client.RunFolder) -> None:
    with suppress(FacewrightError):  # it ended this moment: the journal says how
        client.send(started, Stop())


async def _feed(events: AsyncIterator[AnyEvent], display: Display) -> int:
    view = RunView()
    async for event in events:
        view = apply(view, event)
        display(view, event)
        if isinstance(event, LAST_EVENTS):
            return event.exit_status
    return EXIT_FAILED


class _JsonDisplay:
    """One event per line on stdout."""

    def __enter__(self) -> Display:
        return lambda _, event: _write_line(event)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()


def _display(as_json: bool) -> _JsonDisplay | ProgressDisplay:
    return _JsonDisplay() if as_json else ProgressDisplay()


def _write_line(event: AnyEvent) -> None:
    sys.stdout.write(encode(event).decode())
    sys.stdout.flush()


def _as_event(error: FacewrightError) -> Failed:
    return Failed(
        exit_status=error.exit_status,
        message=error.message,
        remedy=error.remedy,
        code=error.code,
        refused=True,
    )


def _replay_arguments(words: list[str]) -> tuple[Path, float]:
    rest = list(words)
    speed = 1.0
    if "--speed" in rest:
        at = rest.index("--speed")
        try:
            speed = float(rest[at + 1])
        except (IndexError, ValueError):
            raise UsageError("--speed needs a number", "0 plays without pauses") from None
        del rest[at : at + 2]
    if len(rest) != 1 or not Path(rest[0]).is_file():
        raise UsageError("replay needs a journal file", "for example RUN_FOLDER/events.jsonl")
    return Path(rest[0]), speed
