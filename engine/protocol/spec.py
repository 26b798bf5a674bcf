"""Stages and models as data: what the workbench needs to draw them and the engine to run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.protocol.options import Choice, Flag, Option, Text

SIDE = Option(
    "side",
    "Side",
    Choice((("src", "the face that is put in"), ("dst", "the video whose face is replaced"))),
    "dst",
    "Which side of the swap to work on.",
)

FRESH = Option(
    "fresh",
    "Start afresh",
    Flag(),
    False,
    "Move what an earlier run of this stage made to the workspace's trash and begin again, instead"
    " of going on where it stopped.",
)

DEVICE = Option(
    "device",
    "Device",
    Text(r"auto|cpu|\d+(,\d+)*", "auto, cpu, or GPU numbers such as 0 or 0,1"),
    "auto",
    "Where the nets run: auto takes the first GPU if there is one, else the CPU.",
    advanced=True,
)

WORKERS = Option(
    "workers",
    "Worker processes",
    Text(r"auto|[1-9]\d{0,2}", "auto or a number from 1 to 999"),
    "auto",
    "How many processes share the work. Auto: one per CPU core, 16 at most.",
    advanced=True,
)


@dataclass(frozen=True)
class StageSpec:
    """One unit of work with options.

    code: "module:function", resolved in the engine process only; called with a `StageContext`.
    needs: names of `engine.protocol.needs` checks made before a run is created.
    resources: what the run alone may write, as format strings over the options, for example
        "frames-{side}"; a second run wanting one of them is refused while the first lives.
    replaces: in words, what the stage may replace; such a stage asks for a confirmation when there
        is something to replace.
    trains_model: its options go on with those of the model class chosen by `model_class`.
    morph_options: for a stage that merges, what it asks besides where the chosen model class has a
        morph factor.
    rehearses: the id of the stage whose needs this one tries out, by the same options; it changes
        nothing, and none of its options while it runs.
    """

    id: str
    title: str
    group: str
    summary: str
    code: str
    options: tuple[Option, ...] = ()
    needs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    replaces: str = ""
    trains_model: bool = False
    morph_options: tuple[Option, ...] = ()
    rehearses: str = ""
    help: str = ""


@dataclass(frozen=True)
class ModelSpec:
    """A model class: its options and where its code is ("module:class", engine only).

    check: raises `UsageError` where values that are each allowed do not go together.
    swaps: it makes one face of another, and frames can be merged with it.
    has_morph_factor: how much of the other face it makes can be set when merging
        (`Look.morph_factor`).
    is_file: its models are files made to merge with, and never trained; whether it has a morph
        factor each file says itself (`engine.protocol.dfm_files`).
    """

    id: str
    title: str
    summary: str
    code: str
    options: tuple[Option, ...]
    loss_names: tuple[str, ...]
    dfl_class: str = ""
    check: Callable[[Mapping[str, Any]], None] | None = None
    swaps: bool = True
    has_morph_factor: bool = False
    is_file: bool = False


def as_json(option: Option) -> dict[str, Any]:
    """An option as plain data, for `facewright stages STAGE --json` and the generated docs."""
    return {
        "name": option.name,
        "flag": option.flag,
        "label": option.label,
        "kind": option.kind.name,
        "default": option.default,
        "range": option.kind.range_text(),
        "choices": [value for value, _ in option.kind.choices]
        if isinstance(option.kind, Choice)
        else None,
        "unit": option.unit,
        "life": str(option.life),
        "help": option.help,
    }
