from __future__ import annotations

from engine.protocol.workspace import Workspace
from tests.tuiapp.made import made_run
from tests.tuiapp.seen import opened, screen_text, sees, until
from tuiapp.screens.dialogs import AskScreen, TellScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.log import LogScreen
from tuiapp.screens.run import RunScreen
from tuiapp.screens.stage import StageScreen


async def test_a_finished_run_shows_its_facts_and_warnings(workspace: Workspace) -> None:
    run = made_run(workspace, "faces-extract-done")
    async with opened(workspace, attach=run.id) as (_, pilot):
        await sees(pilot, "Extract faces  src  done", "40/40 frames", "frames without face: 1")
        await sees(pilot, "warning: frame 00017.png: no face", "last line of the log")
        assert "x Stop" not in screen_text(pilot)


async def test_a_failed_run_says_what_was_wrong_what_to_do_and_how_the_log_ends(
    workspace: Workspace,
) -> None:
    run = made_run(workspace, "video-extract-failed")
    async with opened(workspace, attach=run.id) as (app, pilot):
        await sees(pilot, "failed", "the disk is full: cannot write 00013.png")
        await sees(pilot, "What to do: make room", "last line of the log", "r Resume")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        assert isinstance(app.screen, StageScreen)
        assert app.screen.form.state.values["side"] == "dst"


async def test_resume_starts_the_stage_again_or_says_why_it_cannot(workspace: Workspace) -> None:
    run = made_run(workspace, "video-extract-failed")
    (workspace.root / "data_dst.mp4").unlink()
    async with opened(workspace, attach=run.id) as (app, pilot):
        await sees(pilot, "r Resume")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, TellScreen))
        await sees(pilot, "no video data_dst.*")


async def test_a_refusal_that_needs_a_confirmation_asks_for_it(workspace: Workspace) -> None:
    run = made_run(workspace, "merge-refused")
    async with opened(workspace, attach=run.id) as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await sees(pilot, "Replace?", "12 pictures", "trash")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert not run.path.exists()


async def test_the_whole_log_follows_until_told_not_to(workspace: Workspace) -> None:
    run = made_run(workspace, "faces-extract-done")
    async with opened(workspace, attach=run.id) as (app, pilot):
        await sees(pilot, "last line of the log")
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        with run.log_path.open("a") as log:
            log.writelines(f"line {n:04d}\n" for n in range(500))
        await sees(pilot, "line 0499", "503 lines, following")
        await pilot.press("f")
        with run.log_path.open("a") as log:
            log.writelines(f"more {n:04d}\n" for n in range(100))
        await sees(pilot, "603 lines, not following")
        assert "more 0099" not in screen_text(pilot)
        await pilot.press("G")
        await sees(pilot, "more 0099")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
