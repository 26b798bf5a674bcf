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

from engine import catalog
from engine.protocol.commands import Command
from engine.protocol.consent_judgement import NO_CONSENT
from engine.protocol.errors import ConfirmationNeeded, FacewrightError
from engine.protocol.faceset_report import read_report
from engine.protocol.spec import StageSpec
from engine.protocol.survey import WorkspaceSurvey, survey
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder, discard_run, find_run, send, start_run
from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.bridge.frame_review import FrameReview, ReviewFolder
from tuiapp.bridge.label_desk import LabelDesk
from tuiapp.bridge.model_list import ModelList
from tuiapp.bridge.report_entries import FaceChoice
from tuiapp.bridge.run_board import RunBoard
from tuiapp.bridge.run_view import RunView, ViewState, trains
from tuiapp.bridge.watch import RunWatch
from tuiapp.bridge.wording import plain_text
from tuiapp.commands import WorkbenchCommands
from tuiapp.forms.memory import newest_model, remember_values, remembered_values
from tuiapp.graphics.appmixin import PixelApp
from tuiapp.graphics.terminal import TerminalGraphics
from tuiapp.keymap import bindings
from tuiapp.screens.consent_asked import ask_for_consent
from tuiapp.screens.dialogs import AskScreen, TellScreen
from tuiapp.screens.help import HelpScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.log import LogScreen
from tuiapp.screens.stage import StageScreen
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


class FacewrightApp(TypingOrderApp[None], PixelApp[None], inherit_bindings=False):
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
        super().__init__(graphics=graphics)
        self.workspace = workspace
        self.board = RunBoard(workspace)
        self.survey: WorkspaceSurvey | None = None
        self.facesets: dict[str, FacesetList] = {}
        self.reviews: dict[str, tuple[FrameReview, ReviewFolder]] = {}
        self.label_desks: dict[str, LabelDesk] = {}
        self.models = ModelList()
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
            self._tell(error)
        if was_live and not self._is_looked_at(watch):
            self.say(outcome_words(watch.view), severity=_severity(watch.view))
        self.look_again()

    def _is_looked_at(self, watch: RunWatch) -> bool:
        from tuiapp.screens.watching import WatchingScreen

        return isinstance(self.screen, WatchingScreen) and self.screen.run_watch is watch

    # What screens ask for

    def open_form(
        self,
        stage_id: str,
        values: Mapping[str, object] | None = None,
        *,
        entered: Mapping[str, object] | None = None,
    ) -> None:
        """Open a stage's form, filled with what it was last started with and `values` over it; for
        a stage that was never started, with the newest model there is. entered: what is to hold
        also where the model was trained with something else."""
        spec, models = catalog.stage(stage_id), self.survey.models if self.survey else ()
        remembered = remembered_values(self.workspace, stage_id)
        given = {**newest_model(spec, models), **remembered, **(values or {})}
        self._show(StageScreen(spec, given, entered))

    def open_run(self, watch: RunWatch) -> None:
        from tuiapp.screens.labels.screen import LabelScreen
        from tuiapp.screens.manual.screen import ManualScreen
        from tuiapp.screens.merge.screen import MergeScreen
        from tuiapp.screens.run import RunScreen  # pictures need more imports than the first paint
        from tuiapp.screens.training.screen import TrainingScreen

        if watch.view.stage == "merge-session":
            self._show(MergeScreen(watch))
        elif watch.view.stage == "label-session":
            side_name = str(watch.folder.job().options["side"])  # of a run not followed yet, too
            self._show(LabelScreen(watch, self.label_desk(side_name)))
        elif watch.view.stage == "faces-manual":
            self._show(ManualScreen(watch))
        else:
            self._show(TrainingScreen(watch) if trains(watch.view.stage) else RunScreen(watch))

    def label_desk(self, side_name: str) -> LabelDesk:
        """What is drawn on a side's faces, with undo, from one session to the next."""
        return self.label_desks.setdefault(side_name, LabelDesk(side_name))

    def open_masks(self, side_name: str, face: str = "") -> None:
        """Draw masks on a side's faces, beginning with the face of that name: in the session that
        goes on, or a new one."""
        if face:
            self.label_desk(side_name).begin_at(face)
        for watch in self.board.live():
            view = watch.view
            if view.stage == "label-session" and view.options.get("side") == side_name:
                self.open_run(watch)
                return
        self.start_stage("label-session", {"side": side_name})

    def open_faceset(self, side_name: str) -> None:
        """Show the faces of "src" or "dst", with marks, order and filter as they were left."""
        from tuiapp.screens.faceset import FacesetScreen  # as for runs

        state = self.facesets.setdefault(side_name, FacesetList(side_name))
        self._show(FacesetScreen(state))

    def open_models(self) -> None:
        """Show the models of the workspace, with marks as they were left."""
        from tuiapp.screens.models.screen import ModelsScreen  # as for runs

        self._show(ModelsScreen(self.models))

    def open_debug_review(self, side_name: str) -> None:
        """Look through a side's frames with what was found in them, where one was the last time."""
        from tuiapp.screens.debug_review.screen import DebugReviewScreen  # as for runs

        review, folder = self.reviews.setdefault(
            side_name, (FrameReview(side_name), ReviewFolder(self.workspace, side_name))
        )
        self._show(DebugReviewScreen(review, folder))

    def show_faces(self, choice: FaceChoice) -> None:
        """Show some faces of a side, over the screen that chose them."""
        from tuiapp.screens.faceset import FacesetScreen

        state = self.facesets.setdefault(choice.side, FacesetList(choice.side))
        self.push_screen(FacesetScreen(state, choice))

    def open_report(self, side_name: str) -> None:
        """Show the report on a side's faces, or the form that makes one."""
        self.run_worker(self._open_report(side_name), group="report", exclusive=True)

    async def _open_report(self, side_name: str) -> None:
        from tuiapp.screens.report import ReportScreen  # as for runs

        try:
            report = await asyncio.to_thread(read_report, self.workspace, side_name)
        except FacewrightError as error:
            self._tell(error)
            return
        if report is not None:
            self._show(ReportScreen(report))
        else:
            self.open_form("faceset-report", {"side": side_name})
            self.say(f"no report on {side_name} yet: this stage makes it")

    def open_run_by_id(self, run_id: str) -> None:
        """Open the run with that id (or the only one whose id begins or ends so)."""
        try:
            folder = find_run(self.workspace, run_id)
            stage_id = folder.job().stage
        except FacewrightError as error:
            self._tell(error)
            return
        self.open_run(self.watch_run(folder, stage_id))

    def open_log(self, folder: RunFolder) -> None:
        self.push_screen(LogScreen(folder))

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
            self._tell(error)
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
                self._tell(error)
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
            self._tell(error)
        else:
            self.say(said)

    def say(
        self, text: str, *, title: str = "", severity: Any = "information", timeout_s: float = 5
    ) -> None:
        """A toast; the text may come from files."""
        lines = "\n".join(plain_text(line) for line in text.splitlines())
        self.notify(lines, title=title, severity=severity, timeout=timeout_s, markup=False)

    def _tell(self, error: FacewrightError) -> None:
        self.push_screen(TellScreen(error.message, error.remedy))

    def _show(self, screen: Screen[None]) -> None:
        """Put a screen in the place of a form or run that is open: escape leads home."""
        if isinstance(self.screen, HomeScreen):
            self.push_screen(screen)
        else:
            self.action_home()
            self.push_screen(screen)

    # Keys that work everywhere

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            context = getattr(self.screen, "context", "app")
            self.push_screen(HelpScreen(context, self.settings.keys, str(self.settings.path)))

    def action_home(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_newest_run(self) -> None:
        if self.board.infos:
            self.open_run_by_id(self.board.infos[0].id)
        else:
            self.say("no stage was run in this workspace yet")

    def action_leave_screen(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()


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
