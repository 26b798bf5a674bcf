from __future__ import annotations

from pathlib import Path

from textual.command import CommandPalette

from engine.protocol.workspace import Workspace
from tests.tuiapp.made import made_run
from tests.tuiapp.seen import opened, screen_text, sees, until
from tuiapp.keymap import KEYS
from tuiapp.screens.dialogs import TellScreen
from tuiapp.screens.help import HelpScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.stage import StageScreen
from tuiapp.screens.watching import WatchingScreen
from tuiapp.theming import load_themes, shipped_theme_folder


async def test_help_begins_with_the_keys_of_where_one_is_and_has_all(workspace: Workspace) -> None:
    async with opened(workspace, (100, 2 * len(KEYS))) as (app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        text = screen_text(pilot)
        assert all(key.help in text and key.id in text for key in KEYS)
        assert text.index("Open the next sensible stage.") < text.index("Leave the workbench.")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_help_opens_from_a_form_too(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("train")
        await sees(pilot, "f5 Start")
        await pilot.press("f1")
        await sees(pilot, "Form of a stage", "Start the stage with these values.")


async def test_the_palette_finds_stages_themes_and_runs(workspace: Workspace) -> None:
    run = made_run(workspace, "faces-extract-done")
    async with opened(workspace, (120, 40)) as (app, pilot):
        await sees(pilot, "+ done")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await sees(pilot, "Video: Extract frames (video-extract)")
        await pilot.press(*"okabe")
        await sees(pilot, "Theme: Colour-blind-safe (Okabe-Ito)")
        await pilot.press(*["backspace"] * 5, *"00bb")
        await sees(pilot, "Run: faces-extract done")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, WatchingScreen))
        assert isinstance(app.screen, WatchingScreen)
        assert app.screen.folder == run


async def test_every_shipped_theme_draws_home_and_a_run(workspace: Workspace) -> None:
    run = made_run(workspace, "train-running")
    async with opened(workspace) as (app, pilot):
        for theme in load_themes([shipped_theme_folder()]).themes:
            app.theme = theme.name
            await sees(pilot, "Next: Train")
            app.open_run_by_id(run.id)
            await sees(pilot, "crashed", "src 0.2285")
            app.action_home()


async def test_a_theme_once_chosen_is_there_the_next_time(
    workspace: Workspace, own_settings: Path
) -> None:
    async with opened(workspace) as (app, pilot):
        assert app.theme == "facewright"
        app.theme = "high-contrast"
        await until(pilot, own_settings.is_file)
    async with opened(workspace) as (app, _):
        assert app.theme == "high-contrast"


async def test_keys_can_be_moved_by_settings(workspace: Workspace, own_settings: Path) -> None:
    own_settings.parent.mkdir(parents=True)
    own_settings.write_text('[keys]\nhome-next = "f9"\n')
    async with opened(workspace) as (app, pilot):
        await sees(pilot, "Next: Train")
        await pilot.press("n")
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))


async def test_broken_settings_are_told_and_defaults_taken(
    workspace: Workspace, own_settings: Path
) -> None:
    own_settings.parent.mkdir(parents=True)
    own_settings.write_text('theme = "nope"\n[keys]\nhome-nxet = "f9"\n')
    async with opened(workspace) as (app, pilot):
        await sees(pilot, "there is no theme", "'nope'", "'home-next'?")
        assert app.theme == "facewright"


async def test_attaching_to_a_run_that_is_not_there_says_so(workspace: Workspace) -> None:
    async with opened(workspace, attach="zzz") as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, TellScreen))
        await sees(pilot, "no run 'zzz'", "What to do:")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_f2_leads_home_and_f3_to_the_newest_run_from_anywhere(workspace: Workspace) -> None:
    made_run(workspace, "faces-extract-done")
    async with opened(workspace) as (app, pilot):
        await sees(pilot, "+ done")
        app.open_form("merge")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, WatchingScreen))
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert len(app.screen_stack) == 1
