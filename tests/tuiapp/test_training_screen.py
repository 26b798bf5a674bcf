from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import AsyncIterator

import pytest
from PIL import Image
from textual.geometry import Region

from engine.protocol import events
from engine.protocol.commands import Backup, Preview, Save, SetOptions, Stop
from engine.protocol.events import AnyEvent, Event
from engine.protocol.history import HISTORY_NAME, SCHEMA, pack_losses
from engine.protocol.model_files import PREVIEW_HISTORY, page_folder_name
from engine.protocol.wire import encode
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder
from tests.tuiapp.made import RUN_IDS, add_previews, engine_of, made_run, transcript_events
from tests.tuiapp.seen import SIZES, opened, screen_text, sees, until
from tuiapp.bridge.loss_curves import window_of
from tuiapp.bridge.watch import RunWatch
from tuiapp.forms.widgets import NumberField
from tuiapp.graphics.view import PixelView
from tuiapp.screens.dialogs import AskScreen, TellScreen
from tuiapp.screens.running_options import RunningOptionsScreen
from tuiapp.screens.training.screen import TrainingScreen
from tuiapp.widgets.loss_plot import LossPlot

TRAINING = RUN_IDS["train-running"]


def happens(run: RunFolder, *late: Event) -> None:
    """More events reach the journal of a run that is watched."""
    with run.journal_path.open("ab") as journal:
        for n, event in enumerate(late):
            event.seq = 10_000 + n
            event.t = transcript_events("train-running")[-1].t + 1 + n
            journal.write(encode(event))


async def test_a_training_shows_progress_losses_preview_and_notes(workspace: Workspace) -> None:
    add_previews(made_run(workspace, "train-running", alive=True))
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await sees(pilot, "Train  new (quick96)  running", "10%  200/2000 iterations")
            await sees(pilot, "4.0 it/s  7m30s to go", "src 0.2285  dst 0.1628", "saved at 100")
            await sees(pilot, "src has only 12 faces", "extract more, 500", "faces at 200  1/2")
            await sees(pilot, "Stop", "s Save", "p Preview", "l Range", "o Set", "esc Back")
            chart, picture = app.screen.query_one(LossPlot), app.screen.query_one("#now", PixelView)
            assert min(chart.size.height, picture.size.height) >= 6
            assert min(chart.size.width, picture.size.width) >= 30


async def test_the_preview_is_drawn_and_its_pages_turn(workspace: Workspace) -> None:
    add_previews(made_run(workspace, "train-running", alive=True))
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "faces at 200  1/2")
        picture = app.screen.query_one("#now", PixelView)
        await until(pilot, lambda: _middle_colour(picture)[0] > 180)
        await pilot.press("space")
        await sees(pilot, "masks at 200  2/2")
        await until(pilot, lambda: _middle_colour(picture)[2] > 180)


def _middle_colour(picture: PixelView) -> tuple[int, int, int]:
    """The background colour in the middle of the picture, (0, 0, 0) while there is none."""
    strip = picture.render_line(picture.size.height // 2)
    middle = strip.crop(strip.cell_length // 2, strip.cell_length // 2 + 1)
    style = next(iter(middle)).style
    if style is None or style.bgcolor is None or style.bgcolor.triplet is None:
        return (0, 0, 0)
    return tuple(style.bgcolor.triplet)


async def test_a_newer_picture_takes_the_place_of_the_old_one(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    add_previews(run)
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "faces at 200")
        Image.new("RGB", (64, 64), (20, 220, 20)).save(run.path / "previews" / "faces-300.png")
        happens(
            run, events.PreviewReady(page="faces", path="previews/faces-300.png", iteration=300)
        )
        await sees(pilot, "faces at 300")
        picture = app.screen.query_one("#now", PixelView)
        await until(pilot, lambda: _middle_colour(picture)[1] > 180)


async def test_a_preview_that_is_gone_or_broken_does_no_harm(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    (run.path / "previews").mkdir()
    (run.path / "previews" / "masks.jpg").write_bytes(b"no picture")
    async with opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "faces at 200  1/2")
        await pilot.press("comma")
        await sees(pilot, "masks at 200  2/2")
        await pilot.pause(0.3)
        await sees(pilot, "running", "iteration 200")


async def test_figures_that_change_do_not_repaint_the_picture(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run(workspace, "train-running", alive=True)
    add_previews(run)
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "faces at 200  1/2")
        picture = app.screen.query_one("#now", PixelView)
        await until(pilot, lambda: _middle_colour(picture)[0] > 180)
        repainted: list[Region] = []
        monkeypatch.setattr(app, "displayed", repainted.extend)
        await until(pilot, lambda: bool(repainted))
        while any(region.overlaps(picture.region) for region in repainted):
            repainted.clear()
            await pilot.pause(0.6)  # two paints: all that belongs to the picture is drawn
        repainted.clear()
        further = events.Progress(done=203, total=2000, unit="iterations", rate=4.0, eta_s=440.0)
        happens(run, further)
        await sees(pilot, "203/2000")
        assert repainted
        assert [region for region in repainted if region.overlaps(picture.region)] == []


async def test_figures_follow_the_events(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    async with opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "200/2000")
        happens(
            run,
            events.Progress(done=260, total=2000, unit="iterations", rate=5.0, eta_s=348.0),
            events.Losses(iteration=260, step_ms=200.0, values=(0.111, 0.099)),
            events.Saved(iteration=260, path="x"),
        )
        await sees(pilot, "260/2000", "5.0 it/s", "5m48s", "src 0.1110", "saved at 260")


async def test_a_training_is_stopped_only_after_asking(workspace: Workspace) -> None:
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "Stop", "s Save")
        await pilot.press("x")
        await sees(pilot, "Stop the training?", "The model is saved first")
        assert isinstance(app.screen, AskScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))


async def test_a_command_that_nobody_takes_says_so(workspace: Workspace) -> None:
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "s Save")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, TellScreen))
        await sees(pilot, "cannot be reached", "What to do:")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))


async def test_a_crashed_training_is_recognised_and_can_be_resumed(workspace: Workspace) -> None:
    made_run(workspace, "train-running", alive=False)
    async with opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "crashed", "the engine died", "last line of the log", "r Resume")


async def test_a_run_that_ends_while_one_looks_elsewhere_says_so(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    async with opened(workspace) as (_, pilot):
        await sees(pilot, "> running")
        happens(run, events.Finished(exit_status=130))
        await sees(pilot, "Train: stopped")


async def test_preview_and_losses_can_each_have_all_the_room(workspace: Workspace) -> None:
    add_previews(made_run(workspace, "train-running", alive=True))
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "faces at 200")
        picture, losses = app.screen.query_one("#now", PixelView), app.screen.query_one(LossPlot)
        before = picture.size, losses.size
        await pilot.press("z")
        await until(pilot, lambda: picture.size.width > before[0].width and not losses.size.area)
        await pilot.press("z")
        await until(pilot, lambda: losses.size.width > before[1].width and not picture.size.area)
        await pilot.press("z")
        await until(pilot, lambda: (picture.size, losses.size) == before)


async def test_samples_wanted_and_made_are_shown_while_a_run_goes_on(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    figures = {"samples_wanted_per_s": 21.4, "samples_deliverable_per_s": 640.0}
    happens(run, events.Progress(done=201, total=2000, unit="iterations", figures=figures))
    async with opened(workspace, (120, 40), attach=TRAINING) as (_, pilot):
        await sees(pilot, "running", "samples 21/s of 640/s")


async def test_options_can_be_changed_while_a_run_goes_on(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    async with engine_of(run) as taken, opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "o Set")
        await pilot.press("o")
        await sees(pilot, "Change while it runs", "Target iteration")
        app.screen.query_one("#row-target_iter NumberField", NumberField).value = "-1"
        await sees(pilot, "! must be 0 to", "nothing is changed yet")
        await pilot.press("enter")
        assert isinstance(app.screen, RunningOptionsScreen)
        app.screen.query_one("#row-target_iter NumberField", NumberField).value = "5000"
        await pilot.pause()
        await pilot.press("enter")
        await sees(pilot, "target iter is now 5000")
        assert taken == [SetOptions({"target_iter": 5000})]


async def test_save_preview_and_an_agreed_stop_reach_the_engine(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    async with engine_of(run) as taken, opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "s Save")
        for key, said in (
            ("s", "saving"),
            ("b", "a backup of it"),
            ("p", "a new preview"),
            ("P", "of other faces"),
        ):
            await pilot.press(key)
            await sees(pilot, said)
        await pilot.press("enter")
        await sees(pilot, "Stop the training?")
        await pilot.press("y")
        await sees(pilot, "finished work is saved")
        assert taken == [Save(), Backup(), Preview(), Preview(redraw=True), Stop()]


def marked_history(workspace: Workspace, iterations: int) -> None:
    """A history of the training's model, with a phase and a backup marked."""
    folder = workspace.model("new", "quick96")
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / HISTORY_NAME) as history:
        history.executescript(SCHEMA)
        blob = pack_losses((0.5, 0.25))
        rows = ((n, 0.0, 1.0, blob) for n in range(1, iterations + 1))
        history.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
        marks = [(50, 0.0, "phase", "phase 2 of 3: sharp"), (90, 0.0, "backup", "by the hour")]
        history.executemany("INSERT INTO marks VALUES (?, ?, ?, ?)", marks)
    history.close()


async def test_the_range_of_losses_goes_through_deepfacelabs(workspace: Workspace) -> None:
    marked_history(workspace, 60_000)
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "losses, all", "src 0.5000")
        for title in ("last 5 000", "last 10 000", "last 50 000", "all"):
            await pilot.press("l")
            await sees(pilot, f"losses, {title}")


async def test_a_short_training_has_short_ranges_and_a_log_scale(workspace: Workspace) -> None:
    marked_history(workspace, 2_000)
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "losses, all", "2 000│")
        for title in ("last 500", "last 1 000", "all"):
            await pilot.press("l")
            await sees(pilot, f"losses, {title}")
        await pilot.press("L")
        await sees(pilot, "dst 0.2500  log")


async def test_marks_are_gone_through_with_their_words(workspace: Workspace) -> None:
    marked_history(workspace, 200)
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace, (120, 40), attach=TRAINING) as (_, pilot):
        await sees(pilot, "▲ 90 backup 2/2  by the hour", "┊")
        await pilot.press("M")
        await sees(pilot, "▲ 50 phase 1/2  phase 2 of 3: sharp")
        await pilot.press("m")
        await sees(pilot, "▲ 90 backup")


async def test_earlier_previews_stand_beside_the_newest(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    add_previews(run)
    kept = workspace.model("new", "quick96") / PREVIEW_HISTORY / page_folder_name("faces")
    kept.mkdir(parents=True)
    for iteration, colour in ((10, (20, 220, 20)), (60, (20, 20, 220))):
        Image.new("RGB", (64, 64), colour).save(kept / f"{iteration:08d}.jpg")
    async with opened(workspace, (120, 40), attach=TRAINING) as (app, pilot):
        await sees(pilot, "faces at 200")
        earlier = app.screen.query_one("#earlier", PixelView)
        await pilot.press("left")
        await sees(pilot, "earlier, at 60", "2 of 2")
        await until(pilot, lambda: _middle_colour(earlier)[2] > 180)
        await pilot.press("left")
        await sees(pilot, "earlier, at 10", "1 of 2")
        await until(pilot, lambda: _middle_colour(earlier)[1] > 180)
        await pilot.press("right")
        await sees(pilot, "earlier, at 60")
        await pilot.press("right")
        await until(pilot, lambda: "earlier, at" not in screen_text(pilot))
        await pilot.press("c")
        await sees(pilot, "earlier, at 10")
        await pilot.press("c")
        await until(pilot, lambda: "earlier, at" not in screen_text(pilot))


async def test_previews_seen_in_this_session_can_be_seen_again(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running", alive=True)
    add_previews(run)
    async with opened(workspace, (120, 40), attach=TRAINING) as (app, pilot):
        await sees(pilot, "faces at 200")
        picture = app.screen.query_one("#now", PixelView)
        await until(pilot, lambda: _middle_colour(picture)[0] > 180)
        await pilot.press("left")
        await sees(pilot, "there is no earlier preview yet")
        Image.new("RGB", (64, 64), (20, 220, 20)).save(run.path / "previews" / "faces.jpg")
        happens(run, events.PreviewReady(page="faces", path="previews/faces.jpg", iteration=300))
        await sees(pilot, "faces at 300")
        await pilot.press("left")
        await sees(pilot, "earlier, at 200")
        earlier = app.screen.query_one("#earlier", PixelView)
        await until(pilot, lambda: _middle_colour(earlier)[0] > 180)


async def test_trainings_that_go_on_are_a_key_apart(workspace: Workspace) -> None:
    first = made_run(workspace, "train-running", alive=True)
    other = RunFolder(workspace.runs / "20260101-130000-train-00ff")
    shutil.copytree(first.path, other.path)
    for path in (other.journal_path, other.job_path):
        path.write_text(path.read_text().replace(first.id, other.id).replace('"new"', '"second"'))
    async with opened(workspace, attach=first.id) as (_, pilot):
        await sees(pilot, "new (quick96)", "+ 1 more training (n)")
        await pilot.press("n")
        await sees(pilot, "second (quick96)")
        await pilot.press("N")
        await sees(pilot, "new (quick96)")


async def test_the_dialog_of_options_has_groups_scrolls_and_says_what_changes(
    workspace: Workspace,
) -> None:
    run = made_run(workspace, "train-running", alive=True)
    for path in (run.journal_path, run.job_path):
        path.write_text(path.read_text().replace("quick96", "saehd"))
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "o Set")
        await pilot.press("o")
        await sees(pilot, "Change while it runs", "SAEHD", "Batch size", "nothing is changed yet")
        rows = app.screen.query("OptionRow")
        assert len(rows) > 25
        app.screen.query_one("#row-gan_power NumberField", NumberField).value = "0.1"
        await sees(pilot, "GAN power: 0 -> 0.1")
        assert app.screen.query_one("#row-gan_dims").display
        rows.last().query_one(".line").query("*")[1].focus()
        await until(pilot, lambda: "Batch size" not in screen_text(pilot))
        app.screen.query_one("#row-gan_power NumberField", NumberField).value = "9"
        await pilot.press("enter")
        assert isinstance(app.screen, RunningOptionsScreen)


async def test_at_80_by_24_every_part_has_its_place(workspace: Workspace) -> None:
    marked_history(workspace, 200)
    add_previews(made_run(workspace, "train-running", alive=True))
    async with opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "▲ 90 backup", "faces at 200", "l Range", " ━━━──")
        lines = screen_text(pilot).splitlines()
        assert len(lines) == 24, lines
        begins = (
            " Facewright > ",
            " Train  new (quick96)  running",
            " ━━━──",
            " iteration 200  src 0.2285  dst 0.1628  254 ms/step  saved at 100",
            " batch 4",
            "╭─ losses, all ────────────────────────╮╭─ faces at 200  1/2 (space) ──────────╮",
            "│━ src 0.",
        )
        for line, begin in zip(lines, begins, strict=False):
            assert line.startswith(begin)
        assert lines[16].startswith("╰─")
        assert lines[17].startswith("╭─ notes ─")
        assert lines[22].startswith(" train  10%")
        assert lines[23].startswith("⏎ Stop s Save p Preview l Range z Zoom o Set")


@pytest.mark.slow
async def test_a_training_of_a_million_iterations_opens_within_a_second(
    workspace: Workspace,
) -> None:
    marked_history(workspace, 1_000_000)
    run = made_run(workspace, "train-running", alive=True)
    journalled = [e for e in transcript_events("train-running") if type(e).journalled]
    run.journal_path.write_bytes(b"".join(encode(event) for event in journalled))

    async def replayed() -> AsyncIterator[AnyEvent]:
        for event in journalled:
            yield event

    watch = RunWatch(workspace, run, "train")
    began = time.process_time()  # the machine may be busy with other things
    await watch.follow(replayed())
    curves = window_of(watch.losses, ("src", "dst"), None).curves(600)
    assert time.process_time() - began < 1.0
    assert (curves.first, curves.last) == (1, 1_000_000)
    async with opened(workspace, attach=TRAINING) as (_, pilot):
        await sees(pilot, "losses, all", "1 000 000")


async def test_a_training_that_ended_is_looked_at_later_with_all_its_figures(
    workspace: Workspace,
) -> None:
    marked_history(workspace, 200)
    run = made_run(workspace, "train-running")
    add_previews(run)
    journalled = [e for e in transcript_events("train-running") if type(e).journalled]
    ending = [
        events.Result(facts={"iterations_made": 200, "samples_wanted_per_s": 21.4}),
        events.Result(facts={"samples_deliverable_per_s": 640.0, "saved_iteration": 200}),
        events.Finished(exit_status=130),
    ]
    for number, event in enumerate(ending):
        event.t, event.seq = journalled[-1].t, 1000 + number
    lines = [encode(event) for event in (*journalled, *ending)]
    run.journal_path.write_bytes(b"".join(lines))
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "stopped", "iteration 200  src 0.5000  dst 0.2500", "samples 21/s")
        await sees(pilot, "iterations made: 200   samples wanted", "▲ 90 backup", "faces at 200")
        assert app.screen.query_one(LossPlot).size.height >= 6
        await sees(pilot, "r Resume")
        assert "Stop" not in screen_text(pilot)
