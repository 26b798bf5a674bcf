"""One training: figures, losses, previews, notes; what may be changed while it goes on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal

from engine import catalog
from engine.protocol.commands import Backup, Preview, Save
from tuiapp.bridge.loss_history import LossHistory
from tuiapp.bridge.machine_load import MachineLoad, MachineMeter
from tuiapp.bridge.run_view import RunView
from tuiapp.bridge.watch import RunWatch
from tuiapp.keymap import bindings
from tuiapp.screens.dialogs import AskScreen
from tuiapp.screens.training.plan import PlanScreen
from tuiapp.screens.watching import WatchingScreen
from tuiapp.widgets.log_pane import LogPane
from tuiapp.widgets.loss_plot import LossPlot
from tuiapp.widgets.notes_pane import NotesPane
from tuiapp.widgets.run_summary import RunOutcome
from tuiapp.widgets.training_preview import TrainingPreview
from tuiapp.widgets.training_summary import TrainingSummary

LOOK_EVERY_S = 3.0  # at the history on disk and at the machine
_WHILE_LIVE = frozenset({"save", "backup", "preview", "redraw"})
# What has the room between figures and notes; the key for it goes through these.
_SHARES = ("", "-big-preview", "-big-losses")


class TrainingScreen(WatchingScreen):
    """Draws the run of a stage that trains a model, with DeepFaceLab's keys."""

    CSS_PATH = "training.tcss"
    BINDINGS = bindings("training")
    context = "training"

    def __init__(self, watch: RunWatch) -> None:
        super().__init__(watch)
        self._painted = -1
        self._load = MachineLoad()
        self._meter: MachineMeter | None = None
        self._share = 0

    def body(self) -> ComposeResult:
        yield TrainingSummary()
        yield RunOutcome(flows=True)
        with Horizontal(id="pictures"):
            yield LossPlot()
            yield TrainingPreview(self.folder.path)
        with Horizontal(id="texts"):
            yield NotesPane()
            yield LogPane(self.folder.log_path)

    def on_mount(self) -> None:
        self.query_one(NotesPane).border_title = "notes"
        self.query_one(LogPane).border_title = "log"
        self.set_interval(LOOK_EVERY_S, self._look)
        self._look()

    def paint(self) -> None:
        watch = self.run_watch
        summary = self.query_one(TrainingSummary)
        view = with_last_losses(self.view, watch.losses)
        summary.show(view, time.time(), self._load, len(self._other_runs()))
        self.query_one(LogPane).read_on()
        self.query_one(LossPlot).show(watch.losses, self.view.loss_names, watch.marks)
        if watch.version != self._painted:
            self._painted = watch.version
            self._paint_changes()

    def _paint_changes(self) -> None:
        view = self.view
        self.set_class(bool(view.previews), "-previews")
        self.set_class(bool(view.notes or view.warnings), "-notes")
        self.query_one(TrainingPreview).show(view, self.run_watch.model_folder)
        self.query_one(NotesPane).show(view)
        self.paint_state()

    # Looking at what does not come as events

    def _look(self) -> None:
        """Never two at once: a slow disk would only get slower."""
        if not any(worker.group == "look" and not worker.is_finished for worker in self.workers):
            self.run_worker(self._look_once(), group="look")

    async def _look_once(self) -> None:
        if not self.view.trains or not self.is_current:
            return
        if self._meter is None:
            self._meter = MachineMeter(self.folder, str(self.view.options.get("device", "auto")))
        self._load = await asyncio.to_thread(self._meter.read)
        if self.view.state.live:
            await self.run_watch.catch_up()
            self.query_one(TrainingPreview).look()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _WHILE_LIVE:
            return self.view.state.live
        if action == "plan":
            return self.view.trains
        if action == "other_run":
            return bool(self._other_runs())
        return super().check_action(action, parameters)

    def action_save(self) -> None:
        self.send(Save(), "saving the model")

    def action_backup(self) -> None:
        self.send(Backup(), "saving the model, and a backup of it")

    def action_preview(self) -> None:
        self.send(Preview(), "a new preview is on its way")

    def action_redraw(self) -> None:
        self.send(Preview(redraw=True), "a preview of other faces is on its way")

    def action_stop(self) -> None:
        text = "The model is saved first; starting the stage again goes on from there."
        asking = AskScreen("Stop the training?", text, yes="Stop")
        self.app.push_screen(asking, self._stop_if)

    def _stop_if(self, agreed: bool | None) -> None:
        if agreed:
            super().action_stop()

    def action_page(self, direction: int) -> None:
        self.query_one(TrainingPreview).turn(direction)

    def action_earlier(self, direction: int) -> None:
        preview = self.query_one(TrainingPreview)
        if preview.has_earlier:
            preview.step(direction)
        else:
            self.workbench.say("there is no earlier preview yet")

    def action_compare(self) -> None:
        preview = self.query_one(TrainingPreview)
        if preview.has_earlier:
            preview.turn_comparison()
        else:
            self.workbench.say("there is no earlier preview yet")

    def action_share(self) -> None:
        self._share = (self._share + 1) % len(_SHARES)
        for number, name in enumerate(_SHARES):
            if name:
                self.set_class(number == self._share, name)

    def action_loss_range(self) -> None:
        self.query_one(LossPlot).turn_range()

    def action_log_scale(self) -> None:
        self.query_one(LossPlot).turn_log()

    def action_mark(self, direction: int) -> None:
        self.query_one(LossPlot).step_mark(direction)

    def action_plan(self) -> None:
        model = catalog.model(str(self.view.options["model_class"]))
        self.app.push_screen(PlanScreen(self.run_watch, model))

    # Other trainings

    def _other_runs(self) -> list[RunWatch]:
        live = self.workbench.board.live()
        return [watch for watch in live if watch.view.trains and watch is not self.run_watch]

    def action_other_run(self, direction: int) -> None:
        """The next (1) or previous (-1) of the trainings that go on, in the order they began."""
        others = sorted(self._other_runs(), key=lambda watch: watch.folder.id)
        later = [watch for watch in others if watch.folder.id > self.folder.id]
        earlier = [watch for watch in others if watch.folder.id < self.folder.id]
        in_order = later + earlier
        if in_order:
            self.workbench.open_run(in_order[0 if direction > 0 else -1])


def with_last_losses(view: RunView, losses: LossHistory) -> RunView:
    """The view with iteration and losses of the model's history where no event told them: they are
    not in the journal of a run that is looked at later. Not if the model was trained on since."""
    if view.iteration is not None or not len(losses):
        return view
    last = losses.iterations[-1]
    if not view.state.live and last != view.done:
        return view
    return replace(view, iteration=last, losses=tuple(losses.losses[-losses.width :]))
