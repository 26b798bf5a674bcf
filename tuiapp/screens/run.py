"""One run: progress, losses, preview, notes, log; how it ended and how to go on."""

from __future__ import annotations

import time
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal

from engine.protocol.commands import Command, Preview, Save, SetOption, Stop
from engine.runtime.client import RunFolder
from tuiapp.bridge.loss_series import columns
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.watch import RunWatch
from tuiapp.keymap import bindings
from tuiapp.screens.dialogs import AskScreen
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.running_options import RunningOptionsScreen, running_options
from tuiapp.widgets.log_pane import LogPane
from tuiapp.widgets.loss_chart import LossChart
from tuiapp.widgets.notes_pane import NotesPane
from tuiapp.widgets.preview import PreviewPane
from tuiapp.widgets.run_summary import RunOutcome, RunSummary, stage_title

LOG_END_LINES = 4
_WHILE_LIVE = frozenset({"save", "preview", "redraw", "stop", "options"})
_TRAINING_ONLY = frozenset({"save", "preview", "redraw", "loss_window"})


class RunScreen(FramedScreen):
    """Draws a `RunWatch`; several screens may draw the same one."""

    CSS_PATH = "run.tcss"
    BINDINGS = bindings("run")
    context = "run"

    def __init__(self, watch: RunWatch) -> None:
        super().__init__()
        self.run_watch = watch
        self.place = stage_title(watch.view.stage)
        self._painted: tuple[int, int, bool] | None = None
        self._all_losses = True
        self._state_seen: ViewState | None = None

    @property
    def view(self) -> RunView:
        return self.run_watch.view

    @property
    def folder(self) -> RunFolder:
        return self.run_watch.folder

    def body(self) -> ComposeResult:
        yield RunSummary()
        yield RunOutcome()
        with Horizontal(id="pictures"):
            yield LossChart()
            yield PreviewPane(self.folder.path)
        with Horizontal(id="texts"):
            yield NotesPane()
            yield LogPane(self.folder.log_path)

    def on_mount(self) -> None:
        self.query_one(LossChart).border_title = "losses"
        self.query_one(NotesPane).border_title = "notes"
        self.query_one(LogPane).border_title = "log"

    def paint(self) -> None:
        view = self.view
        self.query_one(RunSummary).show(view, time.time())
        self.query_one(LogPane).read_on()
        version = (self.run_watch.version, self.run_watch.losses.version, self._all_losses)
        if version == self._painted:
            return
        self._painted = version
        self._paint_changes(view)

    def _paint_changes(self, view: RunView) -> None:
        self.set_class(view.trains, "-trains")
        self.set_class(bool(view.previews), "-previews")
        self.set_class(not view.state.live, "-ended")
        self.set_class(bool(view.notes or view.warnings), "-notes")
        if view.trains:
            self._paint_losses()
        self.query_one(PreviewPane).show(view)
        self.query_one(NotesPane).show(view)
        if view.state is not self._state_seen:
            self._state_seen = view.state
            self._enter_state(view)

    def _paint_losses(self) -> None:
        losses = self.run_watch.losses
        points = losses.all_points() if self._all_losses else losses.recent_points()
        series, iterations = columns(self.view.loss_names, points)
        chart = self.query_one(LossChart)
        chart.border_title = "losses, all" if self._all_losses else "losses, the last"
        chart.set_series(series, iterations)

    def _enter_state(self, view: RunView) -> None:
        log_end = self.folder.log_tail(LOG_END_LINES) if view.error else []
        self.query_one(RunOutcome).show(view, log_end)
        self.refresh_bindings()
        if view.error is not None and view.error.code == "confirmation-needed":
            self.workbench.replace_after_asking(self.run_watch)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        live, trains = self.view.state.live, self.view.trains
        if action in _TRAINING_ONLY and not trains:
            return False
        if action == "options" and not running_options(self.view.stage, self.view.options):
            return False
        if action == "report":
            return self.view.stage == "faceset-report" and self.view.state is ViewState.DONE
        if action in _WHILE_LIVE:
            return live
        if action == "resume":
            return not live and self.view.state is not ViewState.DONE
        return True

    def action_save(self) -> None:
        self._send(Save(), "saving the model")

    def action_preview(self) -> None:
        self._send(Preview(), "a new preview is on its way")

    def action_redraw(self) -> None:
        self._send(Preview(redraw=True), "a preview of other faces is on its way")

    def action_stop(self) -> None:
        if not self.view.trains:
            self._stop(True)
            return
        text = "The model is saved first; starting the stage again goes on from there."
        self.app.push_screen(AskScreen("Stop the training?", text, yes="Stop"), self._stop)

    def action_resume(self) -> None:
        self.workbench.start_stage(self.view.stage, dict(self.view.options))

    def action_edit(self) -> None:
        self.workbench.open_form(self.view.stage, dict(self.view.options))

    def action_options(self) -> None:
        options = running_options(self.view.stage, self.view.options)
        self.app.push_screen(RunningOptionsScreen(options, self.view.options), self._change)

    def _change(self, changed: dict[str, Any] | None) -> None:
        for name, value in (changed or {}).items():
            self._send(SetOption(name, value), f"{name.replace('_', ' ')} is now {value}")

    def action_report(self) -> None:
        self.workbench.open_report(str(self.view.options["side"]))

    def action_log(self) -> None:
        self.workbench.open_log(self.folder)

    def action_page(self, direction: int) -> None:
        self.query_one(PreviewPane).turn(direction)
        self.query_one(PreviewPane).show(self.view)

    def action_big_preview(self) -> None:
        self.toggle_class("-big-preview")

    def action_loss_window(self) -> None:
        self._all_losses = not self._all_losses
        self.paint()

    def _stop(self, agreed: bool | None) -> None:
        if agreed:
            self._send(Stop(), "stopping; finished work is saved")

    def _send(self, command: Command, said: str) -> None:
        self.workbench.send_command(self.folder, command, said)
