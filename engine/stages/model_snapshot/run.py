"""The stage `model-snapshot`: a copy of a save, under a name."""

from __future__ import annotations

import time
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.model_files import SNAPSHOTS, About, find_save
from engine.protocol.stage import StageContext
from engine.stages.model_saves import model_folder
from engine.train.generations import Generations, check_generation
from engine.train.save_folders import copy_save, sweep_saves


def take_snapshot(context: StageContext) -> None:
    """Make the snapshot. Raises `InputError` if there is no such save, it is damaged, or the name
    is taken."""
    folder = model_folder(context)
    sweep_saves(folder / SNAPSHOTS)
    source = _source(context, folder)
    manifest = check_generation(source)
    name = context.options["name"] or f"iteration-{manifest.iteration:08d}"
    target = folder / SNAPSHOTS / name
    if target.exists():
        raise InputError(
            f"there is a snapshot {name} already", "choose another --name", code="name-taken"
        )
    copy_save(source, target, About(made_at=time.time(), note=context.options["note"]))
    context.result(snapshot=str(target), iteration=manifest.iteration)


def _source(context: StageContext, folder: Path) -> Path:
    if context.options["save"]:
        return find_save(folder, context.options["save"]).path
    newest = Generations(folder).newest(context.warn, only=lambda _: False)
    if newest is None:
        raise InputError(f"nothing is saved in {folder}", "train the model first", code="no-save")
    return newest.path
