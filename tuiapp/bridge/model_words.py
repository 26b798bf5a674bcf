"""Models in words: lines of the list, of saves, of options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from textual.content import Content

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.model_cards import DFL, ModelCard
from engine.protocol.model_compare import Compared
from engine.protocol.model_files import SaveFact
from engine.protocol.options import Option
from tuiapp.bridge.wording import (
    bytes_text,
    count_text,
    duration_text,
    plain_text,
    value_text,
)

EMPTY = (
    "No models here yet.\n\n"
    "t  train a new one: both facesets must be there\n"
    "i  import one that DeepFaceLab trained\n"
    "   a .dfm file, put into the folder model, can be merged with as it is"
)
_SHAPE = ("archi", "face_type")  # besides the resolution, what tells models apart at a glance
_KINDS = ("generation", "backup", "snapshot")
_KIND_WORDS = {"generation": "save", "backup": "backup", "snapshot": "snapshot"}
_VALUE_CELLS = 24


def class_title(model_class: str) -> str:
    """`SAEHD`; the word itself for a class that this version does not have."""
    try:
        return catalog.model(model_class).title
    except UsageError:
        return plain_text(model_class)


def card_lines(card: ModelCard, now: float, *, marked: bool, live: bool) -> Content:
    """Two lines of the list. live: a run is training it."""
    sign = "* " if marked else "  "
    trained = f"  {count_text(card.iteration, 'iteration')}" if card.iteration is not None else ""
    return Content.assemble(
        (sign, "bold $accent"),
        (plain_text(card.name), "bold"),
        f"  {class_title(card.model_class)}{trained}  {bytes_text(card.bytes)}",
        ("\n    > training" if live else "\n  ", "$primary"),
        ("  " + "  ".join(_details(card, now)), "$error" if card.problem else "dim"),
    )


def _details(card: ModelCard, now: float) -> list[str]:
    if not card.is_own:
        what = "DeepFaceLab's: enter imports it" if card.origin == DFL else "to merge with only"
        shape = shape_words(card.options)
        return [*([shape] if shape else []), plain_text(card.problem) or what]
    ago = f"{duration_text(now - card.saved_at)} ago" if card.saved_at else "never saved"
    words = (shape_words(card.options), ago, saves_words(card.saves))
    return [word for word in words if word]


def shape_words(options: Mapping[str, Any]) -> str:
    """`256 px liae-ud wf`; "" for a class whose shape no option tells."""
    side_px = f"{options['resolution']} px" if "resolution" in options else ""
    words = [side_px, *(plain_text(str(options.get(name, ""))) for name in _SHAPE)]
    return " ".join(word for word in words if word)


def saves_words(saves: Mapping[str, int]) -> str:
    """`3 saves, 1 snapshot`."""
    counts = ((kind, saves.get(kind, 0)) for kind in _KINDS)
    return ", ".join(count_text(count, _KIND_WORDS[kind]) for kind, count in counts if count)


def save_line(save: SaveFact, now: float) -> Content:
    """`★ save 12 345  2h05m ago  120.0 MB  loss 0.231`, or a snapshot's name and note."""
    kind, iteration = _KIND_WORDS[save.kind], count_text(save.iteration)
    name = "" if save.kind == "generation" else f" {plain_text(save.name)}"
    loss = f"  loss {save.smoothed_loss:.4f}" if save.smoothed_loss is not None else ""
    note = f"  {plain_text(save.note)}" if save.note else ""
    return Content.assemble(
        ("★ " if save.is_best else "  ", "$success"),
        (f"{kind}{name}", "" if save.kind == "generation" else "bold"),
        f" at {iteration}",
        (f"  {duration_text(now - save.saved_at)} ago  {bytes_text(save.bytes)}{loss}", "dim"),
        note,
    )


def option_lines(options: Iterable[Option], values: Mapping[str, Any]) -> Content:
    """`Label  value` of each option that counts with these values."""
    shown = [
        option
        for option in options
        if option.name in values and (option.applies is None or option.applies.holds(values))
    ]
    width = max((len(option.label) for option in shown), default=0) + 2
    lines = [
        Content.assemble((option.label.ljust(width), "$primary"), value_text(values[option.name]))
        for option in shown
    ]
    return Content("\n").join(lines) if lines else Content.styled("none known", "dim")


def compared_line(row: Compared, widths: tuple[int, int]) -> Content:
    """`Label  value  other value`; the values stand out where they differ."""
    style = "bold $warning" if row.differs else "dim"
    first, second = value_text(row.first), value_text(row.second)
    return Content.assemble(
        (plain_text(row.label).ljust(widths[0]), "$primary"),
        (first[:_VALUE_CELLS].ljust(widths[1]), style),
        (second[:_VALUE_CELLS], style),
    )


def compared_widths(rows: Iterable[Compared], first_title: str) -> tuple[int, int]:
    """How wide the columns of labels and of the first model's values are."""
    rows = list(rows)
    labels = max((len(plain_text(row.label)) for row in rows), default=0)
    values = max((len(value_text(row.first)) for row in rows), default=0)
    return labels + 2, max(min(values, _VALUE_CELLS), len(first_title)) + 2
