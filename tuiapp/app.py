"""The workbench: opens screens, keeps runs and survey up to date, carries out what screens ask."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from textual.screen import Screen
from textual.theme import Theme

from engine.protocol.commands import Command
from engine.protocol.consent_judgement import NO_CONSENT
from engine.protocol.errors import ConfirmationNeeded, FacewrightError
from engine.protocol.spec import StageSpec
from engine.protocol.survey import survey
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder, discard_run, send, start_run
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.watch import RunWatch
from tuiapp.commands import WorkbenchCommands
from tuiapp.forms.memory import remember_values
from tuiapp.graphics.appmixin import PixelApp
from tuiapp.graphics.terminal import TerminalGraphics
from tuiapp.keymap import bindings
from tuiapp.opening import OpeningApp
from tuiapp.screens.consent_asked import ask_for_consent
from tuiapp.screens.dialogs import AskScreen
from tuiapp.screens.help import HelpScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.settings import load_settings, remember, user_theme_folder
from tuiapp.theming import (
    DEFAULT_THEME,
    VARIABLE_DEFAULTS,
    load_themes,
    shipped_theme_folder,
)
from tuiapp.typing_order import TypingOrderApp
from tuiapp.widgets.run_summary import stage_title

POLL_EVERY_S = 2.0
# A look at a big workspace may take a second of disk: never spend more than this part of the time.
SURVEY_SHARE = 0.1
SURVEY_EVERY_AT_LEAST_S = 5.0


class FacewrightApp(TypingOrderApp[None], PixelApp[None], OpeningApp, inherit_bindings=False):
    """The app on one workspace.

    graphics: what the terminal can show (`tuiapp.graphics.probe`); None draws with characters.
    attach: the id of a run to show at once.
    """

    TITLE = "Facewright"
    # The first screen's style sheet must be named here: Textual loads those of pushed screens only.
    CSS_PATH = [  # noqa: RUF012 - Textual declares it
        "app.tcss",
        "screens/home.tcss",
        "forms/option_row.tcss",
    ]
    BINDINGS = bindings("app")
    COMMANDS = PixelApp.COMMANDS | {WorkbenchCommands}
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it
        (0, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]

    def __init__(
        self,
        workspace: Workspace,
        graphics: TerminalGraphics | None = None,
        attach: str | None = None,
    ) -> None:
        super().__init__(graphics=graphics, workspace=workspace)
        self.settings = load_settings()
        self.theme_labels: dict[str, str] = {}
        self._attach_to = attach
        self._survey_took_s = 0.0
        self._surveyed_at = float("-inf")
        self._look_wanted = True

    # Coming and going

    def get_default_screen(self) -> Screen[Any]:
        return HomeScreen()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLE_DEFAULTS

    def on_mount(self) -> None:
        self._take_up_settings()
        self._leave_well_when_ended()
        self.set_interval(POLL_EVERY_S, self._poll)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._poll()
        if self._attach_to is not None:
            self.open_run_by_id(self._attach_to)

    def _take_up_settings(self) -> None:
        loaded = load_themes([shipped_theme_folder(), user_theme_folder()])
        self.theme_labels = loaded.labels
        for theme in loaded.themes:
            self.register_theme(theme)
        problems = [*loaded.problems, *self.settings.problems]
        wanted = self.settings.theme or DEFAULT_THEME
        if wanted not in self.available_themes:
            problems.append(f"setting theme: there is no theme {wanted!r}")
            wanted = DEFAULT_THEME
        self.theme = wanted
        self.theme_changed_signal.subscribe(self, self._remember_theme)
        self.set_keymap(dict(self.settings.keys))
        if problems:
            self.say("\n".join(problems), title="Settings", severity="warning", timeout_s=15)

    def _remember_theme(self, theme: Theme) -> None:
        try:
            remember(self.settings.path, "theme", theme.name)
        except FacewrightError as error:
            self.say(error.message, title="The theme is not remembered", severity="warning")

    def _leave_well_when_ended(self) -> None:
        """Textual would leave the terminal in full-screen and mouse mode on SIGTERM. On SIGHUP the
        terminal is gone, and putting it in order would wait for ever; nothing is unsaved then."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.exit)
        loop.add_signal_handler(signal.SIGHUP, os._exit, 128 + signal.SIGHUP)

    def action_leave(self) -> None:
        """Quit; runs go on, and the shell says so."""
        self.exit(message=farewell([watch.view for watch in self.board.live()], self.workspace))

    # Runs and survey, kept up to date

    def look_again(self) -> None:
        """Look at the workspace and its runs now."""
        self._look_wanted = True
        self._poll()

    def _poll(self) -> None:
        """Never two at once: a slow disk would only get slower."""
        if not any(worker.group == "poll" and not worker.is_finished for worker in self.workers):
            self.run_worker(self._refresh(), group="poll")

    async def _refresh(self) -> None:
        for info in await self.board.refresh():
            self.watch_run(info.folder, info.stage)
        pause_s = max(SURVEY_EVERY_AT_LEAST_S, self._survey_took_s / SURVEY_SHARE)
        if self._look_wanted or time.monotonic() - self._surveyed_at >= pause_s:
            await self._survey()

    async def _survey(self) -> None:
        began = time.monotonic()
        self._look_wanted = False
        try:
            self.survey = await asyncio.to_thread(survey, self.workspace)
        except OSError as error:
            self.say(f"{self.workspace.root}: {error.strerror}", severity="error")
        self._surveyed_at = time.monotonic()
        self._survey_took_s = self._surveyed_at - began

    def model_names(self) -> tuple[str, ...]:
        """The names of models in the workspace, for completing."""
        return tuple(model.name for model in self.survey.models) if self.survey else ()

    def watch_run(self, folder: RunFolder, stage_id: str) -> RunWatch:
        """The run's watch, which follows it from now on."""
        watch, is_new = self.board.watch(folder, stage_id)
        if is_new:
            self.run_worker(self._follow(watch), group="follow")
        return watch

    async def _follow(self, watch: RunWatch) -> None:
        was_live = watch.view.state.live
        try:
            await watch.follow()
        except FacewrightError as error:
            if self.board.forget_discarded(watch):
                return
            self.tell(error)
        if was_live and not self._is_looked_at(watch):
            self.say(outcome_words(watch.view), severity=_severity(watch.view))
        self.look_again()

    def _is_looked_at(self, watch: RunWatch) -> bool:
        from tuiapp.screens.watching import WatchingScreen

        return isinstance(self.screen, WatchingScreen) and self.screen.run_watch is watch

    # What screens ask for

    def start_stage(
        self, stage_id: str, values: Mapping[str, object], *, confirmed: bool = False
    ) -> None:
        """Start a run and show it."""
        self.run_worker(self._start(stage_id, values, confirmed), group="start", exclusive=True)

    def rehearse_stage(self, rehearsal: StageSpec, values: Mapping[str, object]) -> None:
        """Start the stage that tries out what another would need with these values, which that
        one's form keeps; and show it."""
        try:
            remember_values(self.workspace, rehearsal.rehearses, values)
        except FacewrightError as error:
            self.tell(error)
            return
        self.start_stage(rehearsal.id, values)

    async def _start(self, stage_id: str, values: Mapping[str, object], confirmed: bool) -> None:
        try:
            folder = await asyncio.to_thread(
                start_run, self.workspace, stage_id, values, confirmed=confirmed
            )
            remember_values(self.workspace, stage_id, values)
        except ConfirmationNeeded as error:
            self._ask_to_replace(error.message, stage_id, values)
        except FacewrightError as error:
            if error.code == NO_CONSENT:
                ask_for_consent(self, error, stage_id, values)
            else:
                self.tell(error)
        else:
            self.open_run(self.watch_run(folder, stage_id))

    def replace_after_asking(self, refused: RunWatch) -> None:
        """A run was refused because it would replace something: ask, and start it again."""
        view = refused.view
        message = view.error.message if view.error else ""
        discard_run(self.workspace, refused.folder)
        self.board.watches.pop(refused.folder.id, None)
        self.action_leave_screen()
        # Later, as the app's own doing: an answer goes to whoever asked, and that screen is gone.
        self.call_later(self._ask_to_replace, message, view.stage, dict(view.options))

    def _ask_to_replace(self, message: str, stage_id: str, values: Mapping[str, object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.start_stage(stage_id, values, confirmed=True)

        text = f"{message}. What is replaced is moved to the workspace's trash."
        self.push_screen(AskScreen("Replace?", text, yes="Replace"), answered)

    def send_command(self, folder: RunFolder, command: Command, said: str) -> None:
        """Send a command to a run's engine; `said` tells the user that it was taken."""
        self.run_worker(self._send(folder, command, said), group="send")

    async def _send(self, folder: RunFolder, command: Command, said: str) -> None:
        try:
            await asyncio.to_thread(send, folder, command)
        except FacewrightError as error:
            self.tell(error)
        else:
            self.say(said)

    # Keys that work everywhere

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            context = getattr(self.screen, "context", "app")
            self.push_screen(HelpScreen(context, self.settings.keys, str(self.settings.path)))


def farewell(live: list[RunView], workspace: Workspace) -> str | None:
    """What the shell is told about runs that go on; None if there are none."""
    if not live:
        return None
    lines = [f"{view.stage} goes on (run {view.run})" for view in live]
    where = f"-w {workspace.root}"
    lines.append(f"see it again: facewright {workspace.root}")
    lines.append(f"stop it, all work saved: facewright stop {live[0].run} {where}")
    return "\n".join(lines)


def outcome_words(view: RunView) -> str:
    """How a run ended, for a toast."""
    words = f"{stage_title(view.stage)}: {view.state}"
    return f"{words}. {view.error.message}" if view.error else words


def _severity(view: RunView) -> str:
    return "information" if view.state in (ViewState.DONE, ViewState.STOPPED) else "error"
