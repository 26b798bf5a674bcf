"""One run that trains nothing: progress, pictures, notes, log; how it ended and how to go on."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Horizontal

from tuiapp.bridge.run_view import ViewState
from tuiapp.bridge.watch import RunWatch
from tuiapp.keymap import bindings
from tuiapp.screens.watching import WatchingScreen
from tuiapp.widgets.log_pane import LogPane
from tuiapp.widgets.notes_pane import NotesPane
from tuiapp.widgets.preview import PreviewPane
from tuiapp.widgets.run_summary import RunOutcome, RunSummary


class RunScreen(WatchingScreen):
    """Draws the run of any stage."""

    CSS_PATH = "run.tcss"
    BINDINGS = bindings("run")
    context = "run"

    def __init__(self, watch: RunWatch) -> None:
        super().__init__(watch)
        self._painted = -1

    def body(self) -> ComposeResult:
        yield RunSummary()
        yield RunOutcome()
        yield PreviewPane(self.folder.path)
        with Horizontal(id="texts"):
            yield NotesPane()
            yield LogPane(self.folder.log_path)

    def on_mount(self) -> None:
        self.query_one(NotesPane).border_title = "notes"
        self.query_one(LogPane).border_title = "log"

    def paint(self) -> None:
        self.query_one(RunSummary).show(self.view, time.time())
        self.query_one(LogPane).read_on()
        if self.run_watch.version != self._painted:
            self._painted = self.run_watch.version
            self._paint_changes()

    def _paint_changes(self) -> None:
        view = self.view
        self.set_class(bool(view.previews), "-previews")
        self.query_one(PreviewPane).show(view)
        self.query_one(NotesPane).show(view)
        self.paint_state()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "report":
            return self.view.stage == "faceset-report" and self.view.state is ViewState.DONE
        if action == "faces":
            about_faces = self.view.stage.startswith(("faces-", "faceset-"))
            return about_faces and "side" in self.view.options
        return super().check_action(action, parameters)

    def action_report(self) -> None:
        self.workbench.open_report(str(self.view.options["side"]))

    def action_faces(self) -> None:
        self.workbench.open_faceset(str(self.view.options["side"]))

    def action_page(self, direction: int) -> None:
        self.query_one(PreviewPane).turn(direction)
        self.query_one(PreviewPane).show(self.view)

    def action_big_preview(self) -> None:
        self.toggle_class("-big-preview")
