"""The list of models, with the newest picture of the one at hand."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import OptionList, Static

from engine.protocol.model_cards import DFL, ModelCard, model_cards
from engine.protocol.model_trash import deleted_models
from engine.protocol.survey import import_values
from tuiapp.bridge.model_list import ModelList
from tuiapp.bridge.model_words import EMPTY, card_lines, saves_words
from tuiapp.bridge.preview_archive import read_picture
from tuiapp.bridge.wording import plain_text
from tuiapp.graphics.view import PixelView
from tuiapp.keymap import KEYS, bindings, keys_text
from tuiapp.screens.models.acting import ModelScreen
from tuiapp.screens.pick import PickScreen
from tuiapp.widgets.key_list import KeyList, Row
from tuiapp.widgets.picture import Picture

# How often the folder is looked at, and the part of the time that this may take: a model of many
# thousand preview pictures on a slow disk takes seconds.
LOOK_EVERY_S = 2.0
LOOK_SHARE = 0.1
# What the list of all actions leaves out: moving, marking, leaving.
_NO_ACTIONS = frozenset({"all_actions", "mark", "app.help", "back"})


class ModelsScreen(ModelScreen):
    """Draws a `ModelList`, which outlives the screen."""

    CSS_PATH = "models.tcss"
    BINDINGS = bindings("models")
    context = "models"
    place = "Models"
    AUTO_FOCUS = "#models"

    def __init__(self, state: ModelList) -> None:
        super().__init__()
        self.state = state
        self._looked_at = float("-inf")
        self._look_took_s = 0.0
        self._has_looked = False
        self._shown: tuple[str, float | None] | None = None  # whose picture, and of when

    def body(self) -> ComposeResult:
        with Horizontal(id="shelf"):
            yield KeyList(id="models")
            yield Picture(id="newest")
        yield Static(EMPTY, id="nothing", markup=False)

    def on_mount(self) -> None:
        models = self.query_one("#models", KeyList)
        models.border_title = "models"
        models.show_rows([(None, Content.styled("looking ...", "dim"))])

    @property
    def card(self) -> ModelCard | None:
        return self.state.card(self._key)

    @property
    def _key(self) -> str | None:
        lists = self.query("#models").results(KeyList)
        chosen = next(lists, None)
        highlighted = chosen.highlighted_option if chosen is not None else None
        return highlighted.id if highlighted is not None else None

    # Keeping up with the disk

    def paint(self) -> None:
        pause_s = max(LOOK_EVERY_S, self._look_took_s / LOOK_SHARE)
        if time.monotonic() - self._looked_at >= pause_s and not self.is_looking:
            self.run_worker(self._look(), group="look")

    async def _look(self) -> None:
        began = self._looked_at = time.monotonic()
        try:
            cards = await asyncio.to_thread(model_cards, self.workbench.workspace)
        except OSError as error:
            self.workbench.say(f"{error.filename}: {error.strerror}", severity="error")
            return
        self._look_took_s = time.monotonic() - began
        self._has_looked = True
        self.state.replace(cards)
        self.show()

    def show(self) -> None:
        """Bring everything that is seen in line with the state."""
        if not self._has_looked or not self.query("#newest"):  # none once the screen was left
            return
        self.set_class(not self.state.cards, "-empty")
        live, now = self.models_in_training(), time.time()
        rows: list[Row] = [
            (
                card.key,
                card_lines(
                    card,
                    now,
                    marked=card.key in self.state.marks,
                    live=(card.name, card.model_class) in live,
                ),
            )
            for card in self.state.cards
        ]
        self.query_one("#models", KeyList).show_rows(rows)
        self._show_picture()
        self.refresh_bindings()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show_picture()
        self.refresh_bindings()

    def _show_picture(self) -> None:
        card = self.card
        if card is None or (card.key, card.preview_at) == self._shown:
            return
        self._shown = (card.key, card.preview_at)
        picture = self.query_one("#newest", Picture)
        caption = saves_words(card.saves) if card.preview else card.problem or "no preview yet"
        picture.set_title(plain_text(card.name), plain_text(caption))
        if card.preview is None:
            picture.clear()
        else:
            self.run_worker(self._load(card.preview), group="picture", exclusive=True)

    async def _load(self, path: Path) -> None:
        encoded = await asyncio.to_thread(read_picture, path)
        for picture in self.query("#newest").results(Picture):  # none once the screen was left
            if encoded is not None:
                picture.set_image_bytes(encoded)

    def on_pixel_view_refused(self, event: PixelView.Refused) -> None:
        event.stop()
        self.query_one("#newest", Picture).border_subtitle = plain_text(event.error.message)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("mark", "all_actions"):
            return self.card is not None
        if action == "train" and not self.state.cards:
            return True
        if action == "compare":
            return self.state.pair(self._key) is not None
        return super().check_action(action, parameters)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        from tuiapp.screens.models.details import DetailsScreen

        event.stop()
        card = self.card
        if card is None:
            return
        if card.is_own:
            self.app.push_screen(DetailsScreen(card))
        elif card.origin == DFL:
            self.action_import()
        else:
            self.action_merge()

    def action_mark(self) -> None:
        if self._key is not None:
            self.state.toggle_mark(self._key)
            self.show()

    def action_compare(self) -> None:
        from tuiapp.screens.models.compare import CompareScreen

        pair = self.state.pair(self._key)
        if pair is not None:
            self.app.push_screen(CompareScreen(*pair))

    def action_train(self) -> None:
        if self.card is None:
            self.workbench.open_form("train")
        else:
            super().action_train()

    def action_import(self) -> None:
        card = self.card
        is_dfl = card is not None and card.origin == DFL
        values = import_values(card.name, card.model_class) if card and is_dfl else {}
        self.workbench.open_form("model-import", values)

    def action_undelete(self) -> None:
        self.run_worker(self._undelete(), group="begin")

    async def _undelete(self) -> None:
        try:
            deleted = await asyncio.to_thread(deleted_models, self.workbench.workspace)
        except OSError as error:
            self.workbench.say(f"{error.filename}: {error.strerror}", severity="error")
            return
        if not deleted:
            self.workbench.say("no model is in the trash")
            return
        values = {"model": deleted[0].name, "model_class": deleted[0].model_class}
        await self._begin("model-undelete", values, confirmed=False)

    def action_all_actions(self) -> None:
        """Every action that the model at hand allows, by name."""
        keys = [key for key in KEYS if key.context == "models" and key.action not in _NO_ACTIONS]
        rows = [
            (key.action, f"{keys_text(key.keys):6} {key.label}: {key.help}")
            for key in keys
            if self.check_action(key.action, ())
        ]

        async def chosen(action: str | None) -> None:
            if action is not None:
                await self.run_action(action)

        self.app.push_screen(PickScreen("Do what with the model?", rows), chosen)
