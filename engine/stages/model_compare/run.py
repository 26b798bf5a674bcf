"""The stage `model-compare`: the options of two models side by side."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.models.classes import model_spec
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.model_cards import ModelCard, model_cards
from engine.protocol.model_compare import Compared, compare_options
from engine.protocol.stage import StageContext
from engine.stages.train.spec import TRAIN

COMPARISON_NAME = "comparison.json"
_NO_VALUE = "-"


def compare_models(context: StageContext) -> None:
    """Note each option of which they have different values. Raises `InputError` for a model that is
    not there."""
    options = context.options
    cards = {(card.name, card.model_class): card for card in model_cards(context.workspace)}
    first = _card(cards, options["model"], options["model_class"])
    second = _card(cards, options["other"], options["other_class"])
    classes = dict.fromkeys((first.model_class, second.model_class))
    of_classes = [row for name in classes for row in model_spec(name).options]
    rows = dict.fromkeys([*of_classes, *TRAIN.options])
    compared = compare_options(first.options, second.options, rows)
    differing = [row for row in compared if row.differs]
    _tell(context, first, second, compared if options["all"] else differing)
    path = context.run_dir / COMPARISON_NAME
    write_atomically(path, _as_json(first, second, compared))
    context.result(compared=len(compared), different=len(differing), json=str(path))


def _card(cards: dict[tuple[str, str], ModelCard], name: str, model_class: str) -> ModelCard:
    own = sorted(_title(known) for known in cards.values() if known.is_own)
    if not name:
        raise InputError(
            "no other model was named",
            f"name it with --other, one of these: {', '.join(own) or 'none'}",
            code="no-model",
        )
    card = cards.get((name, model_class))
    if card is None or not card.is_own:
        raise InputError(
            f"there is no model {name!r} of class {model_class}",
            f"choose two of these: {', '.join(own) or 'none'}",
            code="no-model",
        )
    return card


def _tell(context: StageContext, first: ModelCard, second: ModelCard, rows: list[Compared]) -> None:
    table = [("", _title(first), _title(second)), ("iteration", first.iteration, second.iteration)]
    table += [(row.label, row.first, row.second) for row in rows]
    words = [tuple(map(_word, cells)) for cells in table]
    widths = [max(len(cells[column]) for cells in words) for column in range(3)]
    for cells in words:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        context.note("  ".join(padded).rstrip())


def _title(card: ModelCard) -> str:
    return f"{card.name} ({card.model_class})"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return _NO_VALUE if value is None else str(value)


def _as_json(first: ModelCard, second: ModelCard, compared: list[Compared]) -> bytes:
    models = [
        {"name": c.name, "class": c.model_class, "iteration": c.iteration} for c in (first, second)
    ]
    options = [
        {"name": row.name, "label": row.label, "values": [row.first, row.second]}
        for row in compared
    ]
    return msgspec.json.format(
        msgspec.json.encode({"models": models, "options": options}), indent=1
    )
