"""One model: its options, its losses, its saves."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from engine.protocol.history import HISTORY_NAME, Mark, read_marks
from engine.protocol.loss_columns import LossColumns, read_loss_columns
from engine.protocol.model_cards import ModelCard, read_card
from engine.protocol.model_files import SaveFact, list_saves
from engine.protocol.workspace import Workspace
from tuiapp.bridge.loss_history import LossHistory
from tuiapp.bridge.model_words import card_lines, option_lines, save_line
from tuiapp.keymap import bindings
from tuiapp.screens.models.acting import ModelScreen, spec_of
from tuiapp.widgets.key_list import KeyList
from tuiapp.widgets.loss_plot import LossPlot

LOOK_EVERY_S = 3.0
_NO_SAVES = "no saves yet"


@dataclass(frozen=True)
class _Found:
    """What one look at the model's folder finds; card is None if the model is gone.

    losses: those after the iteration `after`."""

    card: ModelCard | None
    saves: list[SaveFact]
    marks: list[Mark]
    losses: LossColumns
    after: int


class DetailsScreen(ModelScreen):
    """Draws one model as it is on the disk, looking again every few seconds."""

    CSS_PATH = "models.tcss"
    BINDINGS = bindings("model")
    context = "model"
    AUTO_FOCUS = "#saves"

    def __init__(self, card: ModelCard) -> None:
        super().__init__()
        self.place = f"Models > {card.name}"
        self._card = card
        self._spec = spec_of(card.model_class)
        self._saves: dict[str, SaveFact] = {}
        self._losses = LossHistory()
        self._marks: list[Mark] = []
        self._looked_at = float("-inf")

    def body(self) -> ComposeResult:
        yield Static("", id="about", markup=False)
        with Horizontal(id="facts"):
            with VerticalScroll(id="options"):
                yield Static("", id="values", markup=False)
            with Vertical(id="course"):
                yield LossPlot()
                yield KeyList(id="saves")

    def on_mount(self) -> None:
        self.query_one("#options").border_title = "options"
        self.query_one("#saves").border_title = "saves"
        self._show_card()

    @property
    def card(self) -> ModelCard | None:
        return self._card

    @property
    def save(self) -> SaveFact | None:
        """The save at hand."""
        highlighted = self.query_one("#saves", KeyList).highlighted_option
        return self._saves.get(str(highlighted.id)) if highlighted is not None else None

    def paint(self) -> None:
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S and not self.is_looking:
            self.run_worker(self._look(), group="look")

    async def _look(self) -> None:
        self._looked_at = time.monotonic()
        workspace, card = self.workbench.workspace, self._card
        try:
            found = await asyncio.to_thread(self._read, workspace)
        except OSError as error:
            self.workbench.say(f"{error.filename}: {error.strerror}", severity="error")
            return
        if not self.query("#saves"):
            return  # the screen was left
        if found.card is None:
            self.workbench.say(f"{card.name} is gone: renamed or deleted")
            if self.app.screen is self:
                self.workbench.action_leave_screen()
            return
        self._card = found.card
        self._show_card()
        self._show_saves(found.saves)
        self._show_losses(found)

    def _read(self, workspace: Workspace) -> _Found:
        """In a thread. Of a long history only what is new, unless something has happened since that
        may have turned it back. Raises `OSError`."""
        card, known = self._card, self._losses.iterations
        folder = workspace.model(card.name, card.model_class)
        history, width = folder / HISTORY_NAME, len(self._spec.loss_names) if self._spec else 0
        marks = read_marks(history)
        after = known[-1] if len(known) and marks == self._marks else 0
        return _Found(
            read_card(workspace, card.name, card.model_class),
            list_saves(folder),
            marks,
            read_loss_columns(history, width, after=after),
            after,
        )

    def _show_card(self) -> None:
        card = self._card
        live = (card.name, card.model_class) in self.models_in_training()
        lines = card_lines(card, time.time(), marked=False, live=live)
        self.query_one("#about", Static).update(lines)
        options = self._spec.options if self._spec else ()
        self.query_one("#values", Static).update(option_lines(options, card.options))

    def _show_saves(self, saves: list[SaveFact]) -> None:
        self._saves = {f"{save.kind}/{save.name}": save for save in saves}
        now = time.time()
        rows = [(id, save_line(save, now)) for id, save in self._saves.items()]
        nothing = (None, Content.styled(_NO_SAVES, "dim"))
        self.query_one("#saves", KeyList).show_rows([*rows] or [nothing])
        self.refresh_bindings()

    def _show_losses(self, found: _Found) -> None:
        if self._spec is None:
            return
        if not found.after:
            self._losses.clear()
        self._losses.put(found.losses)
        self._marks = found.marks
        self.query_one(LossPlot).show(self._losses, self._spec.loss_names, found.marks)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted or not self.query("#saves"):
            return super().check_action(action, parameters)
        if action in ("restore", "snapshot") and self.save is None:
            return False
        if action == "delete":
            return self.save is not None and self.save.kind != "generation"
        return super().check_action(action, parameters)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.refresh_bindings()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_restore()

    def action_restore(self) -> None:
        save = self.save
        if save is None:
            return
        text = (
            f"Go on from {_words_of(save)}? The newest save becomes a snapshot, later ones go to"
            " the trash."
        )
        question = ("Go back to this save?", text, "Restore")
        self.ask_to_begin(question, "model-restore", {"save": _name_of(save)})

    def action_snapshot(self) -> None:
        if self.save is not None:
            self.ask_for_snapshot(_name_of(self.save))

    def action_delete(self) -> None:
        save = self.save
        if save is None:
            return
        text = f"To the workspace's trash goes {_words_of(save)}."
        question = ("Delete the save?", text, "To the trash")
        self.ask_to_begin(question, "model-save-delete", {"save": _name_of(save)})

    def action_losses(self) -> None:
        self.query_one(LossPlot).turn_range()


def _words_of(save: SaveFact) -> str:
    if save.kind == "generation":
        return f"the save of iteration {save.iteration}"
    return f"the {save.kind} {save.name} of iteration {save.iteration}"


def _name_of(save: SaveFact) -> str:
    """What names it and no other save of the model."""
    return f"{save.kind}/{save.name}"
