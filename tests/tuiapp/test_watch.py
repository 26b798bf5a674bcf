from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from engine.protocol import events
from engine.protocol.events import AnyEvent
from engine.protocol.history import HISTORY_NAME, SCHEMA, pack_losses
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder
from tuiapp.bridge.run_view import ViewState
from tuiapp.bridge.watch import RunWatch


async def played(*happened: AnyEvent) -> AsyncIterator[AnyEvent]:
    for event in happened:
        yield event


STARTED = events.Started(
    run="r",
    stage="train",
    options={"model": "m", "model_class": "quick96"},
    pid=1,
    pid_started=0.0,
)


async def test_a_watch_holds_the_view_and_the_losses(tmp_path: Path) -> None:
    watch = RunWatch(Workspace(tmp_path), RunFolder(tmp_path / "r"), "train")
    losses = [events.Losses(iteration=n, step_ms=1.0, values=(0.5, 0.25)) for n in (1, 2)]
    await watch.follow(played(STARTED, *losses, events.Finished(exit_status=0)))
    assert watch.view.state is ViewState.DONE
    assert list(watch.losses.iterations) == [1, 2]


async def test_the_models_earlier_course_is_read_when_training_is_attached(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = workspace.model("m", "quick96")
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / HISTORY_NAME) as history:
        history.executescript(SCHEMA)
        rows = [(n, 0.0, 1.0, pack_losses((0.5, 0.25))) for n in range(1, 11)]
        history.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
    history.close()
    watch = RunWatch(workspace, RunFolder(tmp_path / "r"))
    live = [events.Losses(iteration=n, step_ms=1.0, values=(0.5, 0.25)) for n in (10, 11)]
    await watch.follow(played(STARTED, *live))
    assert list(watch.losses.iterations) == list(range(1, 12))


async def test_a_training_with_a_damaged_history_is_watched_all_the_same(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = workspace.model("m", "quick96")
    folder.mkdir(parents=True)
    (folder / HISTORY_NAME).write_bytes(b"no database " * 1000)
    watch = RunWatch(workspace, RunFolder(tmp_path / "r"))
    await watch.follow(played(STARTED, events.Losses(iteration=3, step_ms=1.0, values=(0.5, 0.2))))
    assert list(watch.losses.iterations) == [3]
    assert watch.marks == []


async def test_a_model_that_went_back_draws_its_new_course(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = workspace.model("m", "quick96")
    folder.mkdir(parents=True)
    history = sqlite3.connect(folder / HISTORY_NAME)
    history.executescript(SCHEMA)
    rows = [(n, 0.0, 1.0, pack_losses((0.5, 0.25))) for n in range(1, 21)]
    with history:
        history.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
    watch = RunWatch(workspace, RunFolder(tmp_path / "r"))
    await watch.follow(played(STARTED))
    with history:
        history.execute("DELETE FROM steps WHERE iteration > 12")
        history.execute("INSERT INTO marks VALUES (12, 0.0, 'rollback', 'the losses exploded')")
    history.close()
    await watch.catch_up()
    assert list(watch.losses.iterations) == list(range(1, 13))
    assert [mark.text for mark in watch.marks] == ["the losses exploded"]
