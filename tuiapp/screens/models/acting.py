"""What can be done with a model, from the list and from the model's own screen alike."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from engine import catalog
from engine.protocol.errors import FacewrightError
from engine.protocol.model_cards import ModelCard
from engine.protocol.model_files import net_names
from engine.protocol.model_resets import resets_for
from engine.protocol.spec import ModelSpec, StageSpec
from engine.runtime.client import start_run
from tuiapp.forms.memory import TAKE_THE_NAME_AWAY, forget_model
from tuiapp.screens.dialogs import AskScreen, TellScreen
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.pick import ExplainedPickScreen, LineScreen, PickScreen, ask_which_way

SIDE_FACES, ELSEWHERE = "faces of {side}", "elsewhere"
# What only a model of ours can be told, one that has saves.
_FOR_OWN = frozenset(
    {"train", "pretrain", "rename", "duplicate", "delete", "reset", "snapshot", "export", "onnx"}
    | {"plan", "timelapse", "restore"}
)
# Forms must not begin with that name afterwards: the one for training would make a new model.
_FORMS = {"export": "model-export", "plan": "model-plan", "timelapse": "model-timelapse"}


class ModelScreen(FramedScreen):
    """A screen on which one model is at hand: `card`."""

    @property
    def card(self) -> ModelCard | None:
        """The model that keys work on; None if there is none."""
        raise NotImplementedError

    def models_in_training(self) -> set[tuple[str, str]]:
        """Name and class of each model that a run is training now."""
        views = (watch.view for watch in self.workbench.board.live())
        return {
            (str(view.options.get("model")), str(view.options.get("model_class")))
            for view in views
            if view.trains
        }

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        card = self.card
        if action in _FOR_OWN and (card is None or not card.is_own):
            return False
        if action in ("train", "merge", "pretrain", "onnx", "export"):
            return card is not None and self._can(action, card)
        return True

    def _can(self, action: str, card: ModelCard) -> bool:
        """Whether a stage does that with models of this class."""
        if action == "train":
            return training_of(card.model_class) is not None
        if action == "merge":
            return merging_of(card.model_class) is not None
        if action == "pretrain":
            spec = spec_of(card.model_class)
            return spec is not None and "pretrain" in {option.name for option in spec.options}
        if action == "onnx":
            return onnx_export_of(card.model_class) is not None
        return works_on(catalog.stage(_FORMS[action]), card.model_class)

    # Stages that are started at once; the screen stays

    def begin(
        self, stage_id: str, values: Mapping[str, object], *, confirmed: bool = False
    ) -> None:
        """Start a stage on the model at hand, in the background; a toast tells how it ends."""
        if self.card is not None:
            given = {**values_of(self.card), **values}
            self.run_worker(self._begin(stage_id, given, confirmed), group="begin")

    async def _begin(self, stage_id: str, values: Mapping[str, object], confirmed: bool) -> None:
        workspace, start = self.workbench.workspace, partial(start_run, confirmed=confirmed)
        try:
            folder = await asyncio.to_thread(start, workspace, stage_id, values)
            self.workbench.watch_run(folder, stage_id)
            self.workbench.say(f"{catalog.stage(stage_id).title}: begun")
            if stage_id in TAKE_THE_NAME_AWAY:
                forget_model(workspace, str(values["model"]), str(values["model_class"]))
        except FacewrightError as error:
            self.app.push_screen(TellScreen(error.message, error.remedy))

    def ask_to_begin(
        self, question: tuple[str, str, str], stage_id: str, values: Mapping[str, object]
    ) -> None:
        """Start it if the user agrees. question: title, text, and the word for yes."""
        title, text, yes = question

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.begin(stage_id, values, confirmed=True)

        self.app.push_screen(AskScreen(title, text, yes=yes), answered)

    def action_rename(self) -> None:
        self._ask_for_name("Rename the model", "model-rename")

    def action_duplicate(self) -> None:
        self._ask_for_name("Name of the duplicate", "model-duplicate")

    def _ask_for_name(self, title: str, stage_id: str) -> None:
        card = self.card
        if card is None:
            return

        def named(name: str | None) -> None:
            if name is not None:
                self.begin(stage_id, {"to": name})

        text = f"now: {card.name}. Letters, digits, spaces, dots and dashes"
        self.app.push_screen(LineScreen(title, text), named)

    def action_delete(self) -> None:
        card = self.card
        if card is not None:
            text = (
                f"{card.name} ({card.model_class}) goes to the workspace's trash with all its"
                " saves; u brings it back."
            )
            self.ask_to_begin(("Delete the model?", text, "To the trash"), "model-delete", {})

    def action_snapshot(self) -> None:
        self.ask_for_snapshot("")

    def ask_for_snapshot(self, save: str) -> None:
        """Give the save of that name ("": the newest) a name."""

        def named(name: str | None) -> None:
            if name is not None:
                self.begin("model-snapshot", {"save": save, "name": name})

        text = "it stays until it is deleted, whatever training does"
        self.app.push_screen(LineScreen("Name of the snapshot", text), named)

    def action_reset(self) -> None:
        self.run_worker(self._offer_resets(), group="begin")

    async def _offer_resets(self) -> None:
        card = self.card
        if card is None:
            return
        folder = self.workbench.workspace.model(card.name, card.model_class)
        rows = [
            (reset.id, reset.title, reset.help)
            for reset in resets_for(await asyncio.to_thread(net_names, folder))
        ]
        if not rows:
            self.workbench.say("the model has no save yet")
            return
        self.app.push_screen(ExplainedPickScreen("Make what anew?", rows), self._ask_to_reset)

    def _ask_to_reset(self, reset_id: str | None) -> None:
        if reset_id is not None:
            text = "The save as it is becomes a snapshot: restoring that undoes it."
            question = (f"Reset {reset_id}?", text, "Reset")
            self.ask_to_begin(question, "model-reset", {"what": reset_id})

    # Forms, filled in for the model

    def open_form(self, stage_id: str) -> None:
        """The form of a stage, filled in for the model at hand."""
        if self.card is not None:
            self.workbench.open_form(stage_id, values_of(self.card))

    def action_train(self) -> None:
        self._open_training({})

    def _open_training(self, entered: Mapping[str, object]) -> None:
        card = self.card
        training = training_of(card.model_class) if card else None
        if card is not None and training is not None:
            self.workbench.open_form(training.id, values_of(card), entered=entered)

    def action_pretrain(self) -> None:
        workspace = self.workbench.workspace
        sides = {SIDE_FACES.format(side=side): workspace.side(side) for side in ("src", "dst")}
        rows = [(words, f"The {words} of this workspace") for words in sides]
        rows.append((ELSEWHERE, "Another folder of faces, or a faceset.pak"))

        def chosen(id: str | None) -> None:
            if id == ELSEWHERE:
                self._ask_for_faces()
            elif id is not None:
                side = sides[id]
                self._pretrain_with(str(side.pack if side.pack.is_file() else side.aligned))

        text = "as many people as possible: faces as such are learned, not one person's"
        self.app.push_screen(PickScreen("Pretrain with which faces?", rows, text), chosen)

    def _ask_for_faces(self) -> None:
        asking = LineScreen("Folder or faceset.pak", "the path of faces of many people")
        self.app.push_screen(asking, self._pretrain_with)

    def _pretrain_with(self, path: str | None) -> None:
        if path is not None:
            self._open_training({"pretrain": True, "pretrain_faces": path})

    def action_merge(self) -> None:
        card = self.card
        merging = merging_of(card.model_class) if card else None
        if card is None or merging is None:
            return
        if merging.id == "xseg-apply":
            self.workbench.open_form(merging.id, {"xseg_model": card.name})
        else:
            ask_which_way(self.workbench, merging.id, values_of(card))

    def action_export(self) -> None:
        self.open_form(_FORMS["export"])

    def action_onnx(self) -> None:
        card = self.card
        export = onnx_export_of(card.model_class) if card else None
        if card is None or export is None:
            return
        if export.id == "xseg-export":
            self.workbench.open_form(export.id, {"xseg_model": card.name})
        else:
            self.open_form(export.id)

    def action_plan(self) -> None:
        self.open_form(_FORMS["plan"])

    def action_timelapse(self) -> None:
        self.open_form(_FORMS["timelapse"])


def values_of(card: ModelCard) -> dict[str, Any]:
    """The options by which stages know the model."""
    return {"model": card.name, "model_class": card.model_class}


def spec_of(model_class: str) -> ModelSpec | None:
    """None for a class that this version does not have."""
    return next((spec for spec in catalog.MODELS if spec.id == model_class), None)


def works_on(stage: StageSpec, model_class: str) -> bool:
    """Whether the stage takes models of that class."""
    return any(spec.id == model_class for spec in catalog.models_of(stage))


def training_of(model_class: str) -> StageSpec | None:
    """The stage that trains models of that class."""
    training = (spec for spec in catalog.STAGES if spec.trains_model and not spec.rehearses)
    return next((spec for spec in training if works_on(spec, model_class)), None)


def merging_of(model_class: str) -> StageSpec | None:
    """The stage that uses models of that class on frames or faces."""
    return _first_for(model_class, "merge", "xseg-apply")


def onnx_export_of(model_class: str) -> StageSpec | None:
    """The stage that writes models of that class as one ONNX file."""
    return _first_for(model_class, "dfm-export", "xseg-export")


def _first_for(model_class: str, stage_id: str, of_masks: str) -> StageSpec | None:
    """The first stage if it takes the class, the second for models of masks."""
    spec = spec_of(model_class)
    if spec is not None and not spec.swaps:
        return catalog.stage(of_masks)
    stage = catalog.stage(stage_id)
    return stage if works_on(stage, model_class) else None
