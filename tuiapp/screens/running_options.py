"""Options that may be changed while their run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.options import Life, Option
from engine.protocol.spec import ModelSpec
from tuiapp.forms.form_state import MODEL_CLASS
from tuiapp.screens.options_dialog import OptionGroup, OptionsDialog, refusal_words


def running_options(stage_id: str, values: Mapping[str, Any]) -> tuple[Option, ...]:
    """The options of a run that may be changed now; () for a stage this version does not have, and
    for one that only rehearses another."""
    if not _all_options(stage_id, values) or catalog.stage(stage_id).rehearses:
        return ()
    return tuple(o for o in _all_options(stage_id, values) if o.life is Life.RUNNING)


def _all_options(stage_id: str, values: Mapping[str, Any]) -> tuple[Option, ...]:
    try:
        return catalog.options_of(catalog.stage(stage_id), values.get(MODEL_CLASS))
    except UsageError:
        return ()


class RunningOptionsScreen(OptionsDialog):
    """The options of a run that goes on with `values`: those of its model, then the stage's."""

    def __init__(self, stage_id: str, values: Mapping[str, Any]) -> None:
        stage = catalog.stage(stage_id)
        self._model: ModelSpec | None = None
        if stage.trains_model and MODEL_CLASS in values:
            self._model = catalog.model(str(values[MODEL_CLASS]))
        groups = [
            OptionGroup(spec.title, tuple(o for o in spec.options if o.life is Life.RUNNING))
            for spec in (self._model, stage)
            if spec
        ]
        super().__init__(
            "Change while it runs",
            [group for group in groups if group.options],
            _all_options(stage_id, values),
            values,
        )

    def contradiction(self, values: Mapping[str, Any]) -> str:
        """See `OptionsDialog.contradiction`."""
        return model_contradiction(self._model, values)


def model_contradiction(model: ModelSpec | None, values: Mapping[str, Any]) -> str:
    """Why a model cannot have these values together; "" if it can."""
    if model is not None and model.check is not None:
        try:
            model.check(values)
        except UsageError as error:
            return refusal_words(error)
    return ""
