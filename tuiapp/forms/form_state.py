"""A form's contents as a value: what was typed, what it means, what is refused, what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.model_files import saved_options
from engine.protocol.options import Flag, Life, Option, ValueRefused
from engine.protocol.spec import StageSpec
from engine.protocol.workspace import Workspace

MODEL = "model"
MODEL_CLASS = "model_class"


@dataclass(frozen=True)
class FormState:
    """The options of a form and what was entered (`raw`: text, or True/False for flags); what is
    missing there stands at its default.

    stored: the values that the form's model was last trained with; {} without one. They stand
    before what was entered before that model was chosen.
    since: the options that were entered after that."""

    options: tuple[Option, ...]
    raw: Mapping[str, object]
    stored: Mapping[str, Any] = field(default_factory=dict)
    since: frozenset[str] = frozenset()

    def entered(self, name: str, raw: object) -> FormState:
        return replace(self, raw={**self.raw, name: raw}, since=self.since | {name})

    def of_model(self, stored: Mapping[str, Any]) -> FormState:
        """The form with another model chosen, which has `stored` values."""
        if stored == self.stored:
            return self
        return replace(self, stored=stored, since=frozenset())

    def renewed(self, stored: Mapping[str, Any]) -> FormState:
        """The form when the model, trained on meanwhile, has other values: what was entered since
        it was chosen stays."""
        return self if stored == self.stored else replace(self, stored=stored)

    def follows(self, name: str) -> bool:
        """Whether the option stands at a default or its model's value, entered by nobody here."""
        return name not in self.raw or (name in self.stored and name not in self.since)

    def raw_of(self, name: str) -> object:
        """What stands in the option's field."""
        if not self.follows(name):
            return self.raw[name]
        option = next(option for option in self.options if option.name == name)
        return text_of(option, self._parsed[0][name])

    @cached_property
    def _parsed(self) -> tuple[dict[str, Any], dict[str, str]]:
        values: dict[str, Any] = {}
        refusals: dict[str, str] = {}
        for option in self.options:
            values[option.name] = self.stored.get(option.name, option.default_among(values))
            if not self.follows(option.name):
                try:
                    values[option.name] = self._allowed(option)
                except ValueRefused as refused:
                    refusals[option.name] = str(refused)
        return values, refusals

    def _allowed(self, option: Option) -> Any:
        value = option.kind.parse(self.raw[option.name])
        made_with = self.stored.get(option.name, value)
        if option.life is Life.CREATION and value != made_with:
            raise ValueRefused(f"the model was made with {made_with}, which cannot be changed")
        return value

    @cached_property
    def shown(self) -> frozenset[str]:
        """The options that apply. One whose governing option does not apply does not either."""
        by_name = {option.name: option for option in self.options}
        values = self._parsed[0]

        def applies(option: Option, seen: frozenset[str] = frozenset()) -> bool:
            if option.applies is None or option.name in seen:
                return True
            governing = by_name.get(option.applies.option)
            governed = governing is None or applies(governing, seen | {option.name})
            return governed and option.applies.holds(values)

        return frozenset(option.name for option in self.options if applies(option))

    @cached_property
    def refusals(self) -> dict[str, str]:
        """Why a value is refused, by option; only of options that are shown."""
        return {name: text for name, text in self._parsed[1].items() if name in self.shown}

    @cached_property
    def values(self) -> dict[str, Any]:
        """The values of the options that are shown; refused ones stand at their default."""
        return {name: value for name, value in self._parsed[0].items() if name in self.shown}


def state_for(spec: StageSpec, given: Mapping[str, object]) -> FormState:
    """The form of `spec` with `given` values where they fit (earlier values may not: then the
    default stands). What would follow from the other options goes on following them."""
    options = catalog.options_of(spec, _known_class(spec, given))
    state = FormState(options, {})
    for option in options:
        if option.name in given:
            try:
                raw = text_of(option, option.kind.parse(given[option.name]))
            except ValueRefused:
                continue
            if option.derive is None or raw != state.raw_of(option.name):
                state = state.entered(option.name, raw)
    return state


def stored_values(
    workspace: Workspace, spec: StageSpec, values: Mapping[str, Any]
) -> dict[str, Any]:
    """What the model that `values` name was last trained with; {} for a new one, and for a stage
    that trains none."""
    model_class = _known_class(spec, values) if spec.trains_model else None
    if model_class is None or MODEL not in values:
        return {}
    saved = saved_options(workspace.model(values[MODEL], model_class))
    stored = {}
    for option in catalog.options_of(spec, model_class):
        if option.kept and option.name in saved:
            try:
                stored[option.name] = option.kind.parse(saved[option.name])
            except ValueRefused:
                continue  # of another version: starting says what is wrong with it
    return stored


def text_of(option: Option, value: object) -> str | bool:
    """A value as it stands in the form's field."""
    if isinstance(option.kind, Flag):
        return bool(value)
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _known_class(spec: StageSpec, given: Mapping[str, object]) -> str | None:
    wanted = given.get(MODEL_CLASS)
    if not (spec.trains_model or spec.morph_options) or not isinstance(wanted, str):
        return None
    try:
        return catalog.model(wanted).id
    except UsageError:
        return None  # a class that this version does not have
