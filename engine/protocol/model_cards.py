"""What a list of models shows of each: from names, manifests and headers, never from weights."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.protocol.dfm_files import READY_CLASS, SUFFIX, read_dfm_header
from engine.protocol.errors import InputError
from engine.protocol.model_files import PREVIEW_HISTORY, list_saves, saved_options
from engine.protocol.survey import ModelFact, survey_models
from engine.protocol.workspace import Workspace

OWN, DFL = "facewright", "dfl"  # `ModelFact.origin`


@dataclass(frozen=True)
class ModelCard:
    """One model of a workspace.

    origin: see `ModelFact`. iteration, saved_at: of the newest save; None without one. options:
    what the model was last trained with. bytes: of all its files, those that share their room
    counted once. saves: how many of each kind (`SaveFact.kind`). preview: its newest picture,
    made at preview_at. problem: why a file that should be ready to merge with is not; "" if it is.
    """

    name: str
    model_class: str
    origin: str
    iteration: int | None
    bytes: int
    saved_at: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    saves: Mapping[str, int] = field(default_factory=dict)
    preview: Path | None = None
    preview_at: float | None = None
    problem: str = ""

    @property
    def key(self) -> str:
        """What no other model of the workspace has."""
        return f"{self.origin}:{self.model_class}:{self.name}"

    @property
    def is_own(self) -> bool:
        """It can be trained on, renamed and so on; others can only be imported or merged with."""
        return self.origin == OWN


def model_cards(workspace: Workspace) -> tuple[ModelCard, ...]:
    """All models of the workspace, the one trained last first; those that are not ours at the end.
    Raises `OSError` if the folder cannot be read."""
    cards = [_card(workspace, fact) for fact in survey_models(workspace)]
    return tuple(sorted(cards, key=lambda card: not card.is_own))


def read_card(workspace: Workspace, name: str, model_class: str) -> ModelCard | None:
    """One model of ours; None if there is none of that name. Raises as `model_cards`."""
    facts = (fact for fact in survey_models(workspace) if fact.origin == OWN)
    found = (fact for fact in facts if (fact.name, fact.model_class) == (name, model_class))
    return next((_card(workspace, fact) for fact in found), None)


def _card(workspace: Workspace, fact: ModelFact) -> ModelCard:
    if fact.origin == READY_CLASS:
        return _ready_card(workspace, fact)
    if fact.origin != OWN:
        return ModelCard(fact.name, fact.model_class, fact.origin, fact.iteration, fact.bytes)
    folder = workspace.model(fact.name, fact.model_class)
    saves = list_saves(folder)
    generations = [save for save in saves if save.kind == "generation"]
    newest = max(generations, key=lambda save: save.iteration, default=None)
    preview = fact.latest_preview or _newest_picture(folder)
    return ModelCard(
        fact.name,
        fact.model_class,
        fact.origin,
        newest.iteration if newest else None,
        bytes_of(folder),
        saved_at=newest.saved_at if newest else None,
        options=saved_options(folder),
        saves=Counter(save.kind for save in saves),
        preview=preview,
        preview_at=_changed_at(preview) if preview else None,
    )


def _ready_card(workspace: Workspace, fact: ModelFact) -> ModelCard:
    path = workspace.models / (fact.name + SUFFIX)
    card = ModelCard(fact.name, fact.model_class, fact.origin, None, fact.bytes)
    try:
        header = read_dfm_header(path)
    except InputError as error:
        return replace(card, problem=error.message.removeprefix(f"{path} "))
    shape = {"resolution": header.resolution, "face_type": header.face_type}
    return replace(card, iteration=header.iteration or None, options=shape)


def bytes_of(folder: Path) -> int:
    """The room that the folder's files take; several names of one file count once."""
    sizes: dict[tuple[int, int], int] = {}
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        status = entry.stat(follow_symlinks=False)
                        sizes[status.st_dev, status.st_ino] = status.st_size
        except FileNotFoundError:
            continue  # a save that training forgot this moment
    return sum(sizes.values())


def _changed_at(path: Path) -> float | None:
    """None for a file that is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def _newest_picture(folder: Path) -> Path | None:
    """Of the first page of the preview history."""
    for page in sorted((folder / PREVIEW_HISTORY).glob("*")):
        if page.is_dir():
            with os.scandir(page) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".jpg")]
            stems = [name[:-4] for name in names if name[:-4].isdecimal()]
            if stems:
                return page / f"{max(stems, key=int)}.jpg"
    return None
