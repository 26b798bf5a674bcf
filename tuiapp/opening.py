"""Opening the workbench's screens: each in the place of the one before, as it was left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.screen import Screen

from engine import catalog
from engine.protocol.errors import FacewrightError
from engine.protocol.faceset_report import read_report
from engine.protocol.survey import WorkspaceSurvey
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder, find_run
from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.bridge.frame_review import FrameReview, ReviewFolder
from tuiapp.bridge.label_desk import LabelDesk
from tuiapp.bridge.model_list import ModelList
from tuiapp.bridge.report_entries import FaceChoice
from tuiapp.bridge.run_board import RunBoard
from tuiapp.bridge.run_view import trains
from tuiapp.bridge.watch import RunWatch
from tuiapp.bridge.wording import plain_text
from tuiapp.forms.memory import forget_models_of, newest_model, remembered_values
from tuiapp.screens.dialogs import TellScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.log import LogScreen
from tuiapp.screens.stage import StageScreen


class OpeningApp(App[None]):
    """Opens screens, and keeps how those of a workspace were left. Put it before `App`."""

    def __init__(self, workspace: Workspace, **rest: Any) -> None:
        super().__init__(**rest)
        self.workspace = workspace
        self.board = RunBoard(workspace)
        self.survey: WorkspaceSurvey | None = None
        self.facesets: dict[str, FacesetList] = {}
        self.reviews: dict[str, tuple[FrameReview, ReviewFolder]] = {}
        self.label_desks: dict[str, LabelDesk] = {}
        self.models = ModelList()

    def watch_run(self, folder: RunFolder, stage_id: str) -> RunWatch:
        """The run's watch, which follows it from now on."""
        raise NotImplementedError

    def start_stage(
        self, stage_id: str, values: Mapping[str, object], *, confirmed: bool = False
    ) -> None:
        """Start a run and show it."""
        raise NotImplementedError

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
        try:
            forget_models_of(self.workspace, self.board.infos)
        except FacewrightError as error:
            self.say(f"{error.message}; {error.remedy}", severity="warning")
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
            self.tell(error)
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
            self.tell(error)
            return
        self.open_run(self.watch_run(folder, stage_id))

    def open_log(self, folder: RunFolder) -> None:
        self.push_screen(LogScreen(folder))

    # Coming and going

    def _show(self, screen: Screen[None]) -> None:
        """Put a screen in the place of a form or run that is open: escape leads home."""
        if isinstance(self.screen, HomeScreen):
            self.push_screen(screen)
        else:
            self.action_home()
            self.push_screen(screen)

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

    # Words

    def say(
        self, text: str, *, title: str = "", severity: Any = "information", timeout_s: float = 5
    ) -> None:
        """A toast; the text may come from files."""
        lines = "\n".join(plain_text(line) for line in text.splitlines())
        self.notify(lines, title=title, severity=severity, timeout=timeout_s, markup=False)

    def tell(self, error: FacewrightError) -> None:
        self.push_screen(TellScreen(error.message, error.remedy))
