"""DeepFaceLab's option values to ours and back. Names are the same; ranges may not be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.models.dfl_files.classes import DflClass
from engine.models.dfl_files.reading import Scalar
from engine.protocol.errors import InputError, UsageError
from engine.protocol.options import Integer, Kind, Life, Number, Option
from engine.protocol.spec import ModelSpec

# Renamed in June 2020. What "dfhd" and "liaehd" were is no longer known to any program.
_OLD_ARCHITECTURES = {"dfuhd": "df-u", "liaeuhd": "liae-u"}
_LOST_ARCHITECTURES = frozenset({"dfhd", "liaehd"})


@dataclass(frozen=True)
class Taken:
    """All options of a model of ours, and what has to be said about them."""

    values: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


def values_from_dfl(spec: ModelSpec, options: Mapping[str, Scalar]) -> Taken:
    """What a model of DeepFaceLab with these options is here.

    A value beyond our range gives way to the nearest one, with a remark. What the shapes of the
    weights follow from (options fixed at creation) is kept even if it is below our range, as only
    that fits the weights. Raises `InputError` where nothing does.
    """
    modern = _modernised(options)
    taken = Taken({})
    for option in spec.options:
        if option.name not in modern:
            taken.values[option.name] = option.default_among(taken.values)
            continue
        value, remark = _value(option, modern[option.name], taken.values)
        taken.values[option.name] = value
        if remark:
            taken.remarks.append(remark)
    return taken


def values_for_dfl(
    dfl_class: DflClass, imported: Mapping[str, Scalar], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The options that DeepFaceLab is to find. imported: those that the model came with; what we
    have no option for stays as it was there."""
    known = {**dfl_class.options, **imported}
    ours = {name: values[name] for name in known if name in values}
    return {**known, **ours}


def _modernised(options: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Options as the last version writes them."""
    modern = dict(options)
    archi = modern.get("archi")
    if archi in _LOST_ARCHITECTURES:
        raise InputError(
            f"the model has the architecture {archi}, which DeepFaceLab gave up in 2020",
            "train a new model; its predecessor cannot be opened any more",
            code="lost-architecture",
        )
    if isinstance(archi, str):
        modern["archi"] = _OLD_ARCHITECTURES.get(archi, archi)
    if isinstance(modern.get("lr_dropout"), bool):
        modern["lr_dropout"] = "y" if modern["lr_dropout"] else "n"
    return modern


def _value(option: Option, raw: Scalar, before: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        return option.parse(raw), ""
    except UsageError as refused:
        allowed = option.kind.range_text()
        if option.life is Life.CREATION:
            return _fixed(option, raw, refused)
        nearest = _nearest(option.kind, raw)
        value = option.default_among(before) if nearest is None else nearest
        return value, f"{option.name} {raw} is not {allowed} here: it is {value} now"


def _fixed(option: Option, raw: Scalar, refused: UsageError) -> tuple[Any, str]:
    kind = option.kind
    if isinstance(kind, Integer) and type(raw) is int and 0 < raw < kind.minimum:
        return raw, (
            f"{option.name} {raw} is less than the {kind.minimum} that new models have: the model"
            " can be merged with and exported, but not trained here"
        )
    raise InputError(
        f"the model's {option.name} is {raw}: {refused.message}",
        "such a model cannot be used here",
        code="option-value",
    )


def _nearest(kind: Kind, raw: Scalar) -> int | float | None:
    """The nearest value that the kind allows; None where no value is nearer than others."""
    if isinstance(raw, bool | str) or not math.isfinite(raw):
        return None
    if isinstance(kind, Integer):
        inside = min(max(round(raw), kind.minimum), kind.maximum)
        return inside - (inside - kind.minimum) % kind.step
    if isinstance(kind, Number):
        return min(max(float(raw), kind.minimum), kind.maximum)
    return None
