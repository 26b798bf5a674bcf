"""What the stages share after which a model goes on from another save: the way back stays open."""

from __future__ import annotations

import time
from pathlib import Path

from engine.models.classes import model_spec
from engine.protocol.history import Mark
from engine.protocol.model_files import SNAPSHOTS, About, list_preview_pictures
from engine.protocol.stage import StageContext
from engine.train.generations import Generations
from engine.train.history import HistoryWriter
from engine.train.save_folders import copy_save, sweep_saves


def keep_newest(folder: Path, newest: Path, *, before: str, note: str) -> str:
    """Make a snapshot of the newest save, named after what it is kept before ("restore"). Returns
    its name. Raises `InputError` when the disk is full."""
    sweep_saves(folder / SNAPSHOTS)
    stem = f"before-{before}-{time.strftime('%Y%m%d-%H%M%S')}-{newest.name}"
    number, name = 1, stem
    while (folder / SNAPSHOTS / name).exists():
        number += 1
        name = f"{stem}-{number}"
    copy_save(newest, folder / SNAPSHOTS / name, About(made_at=time.time(), note=note))
    return name


def move_later_ones_away(
    context: StageContext, folder: Path, iteration: int, *, label: str
) -> None:
    """Saves and preview pictures of later iterations go to the trash."""
    generations = Generations(folder)
    later = [generations.path(number) for number in generations.iterations()]
    later = [path for path in later if int(path.name) > iteration]
    pictures = [
        path
        for page in list_preview_pictures(folder).values()
        for number, path in page
        if number > iteration
    ]
    trash = context.workspace.move_to_trash([*later, *pictures], label)
    if trash is not None:
        context.note(f"{len(later)} later saves and {len(pictures)} pictures are in {trash}")


def mark_history(context: StageContext, folder: Path, iteration: int, kind: str, text: str) -> None:
    """The history goes on from `iteration`, with a mark there."""
    loss_names = model_spec(context.options["model_class"]).loss_names
    with HistoryWriter(folder, iteration, loss_names) as history:
        history.mark(Mark(iteration, time.time(), kind, text))
        history.commit()
