"""The stage `model-restore`: an earlier save becomes the newest one.

At every moment the newest save in the model's folder is a whole one: first the present newest gets
a second name, then the chosen one is put among the saves, then those after it are moved away, the
newest last but for its number.
"""

from __future__ import annotations

import time
from pathlib import Path

from engine.models.classes import model_spec
from engine.protocol.errors import ConfirmationNeeded
from engine.protocol.history import Mark
from engine.protocol.model_files import (
    SNAPSHOTS,
    About,
    SaveFact,
    find_save,
    list_preview_pictures,
    newest_generation,
)
from engine.protocol.stage import StageContext
from engine.stages.model_saves import model_folder
from engine.train.generations import Generations, check_generation
from engine.train.history import HistoryWriter
from engine.train.save_folders import copy_save, sweep_saves


def restore_model(context: StageContext) -> None:
    """Go back. Raises `InputError` if there is no such save or it is damaged, and
    `ConfirmationNeeded` if there are later ones; nothing has changed then."""
    folder = model_folder(context)
    chosen = find_save(folder, context.options["save"])
    check_generation(chosen.path)
    newest = newest_generation(folder)
    if newest is not None and newest == chosen.path:
        context.note(f"{chosen.name} is the newest save already: nothing to do")
        context.result(iteration=chosen.iteration, kept_as=None)
        return
    _require_confirmation(context, chosen, newest)
    kept_as = _keep_newest(folder, newest)
    _put_among_generations(context, folder, chosen)
    _move_later_ones_away(context, folder, chosen.iteration)
    _rewind_history(context, folder, chosen)
    context.result(iteration=chosen.iteration, kept_as=kept_as)


def _require_confirmation(context: StageContext, chosen: SaveFact, newest: Path | None) -> None:
    if newest is not None and not context.confirmed:
        raise ConfirmationNeeded(
            f"the model is at iteration {int(newest.name)} and would go to that of"
            f" {chosen.kind} {chosen.name}, {chosen.iteration}",
            "confirm (--yes): the newest save becomes a snapshot, others go to the trash",
        )


def _keep_newest(folder: Path, newest: Path | None) -> str | None:
    """The name of the snapshot that the newest save is in now."""
    sweep_saves(folder / SNAPSHOTS)
    if newest is None:
        return None
    stem = f"before-restore-{time.strftime('%Y%m%d-%H%M%S')}-{newest.name}"
    number, name = 1, stem
    while (folder / SNAPSHOTS / name).exists():
        number += 1
        name = f"{stem}-{number}"
    note = "the newest save when another one was restored"
    copy_save(newest, folder / SNAPSHOTS / name, About(made_at=time.time(), note=note))
    return name


def _put_among_generations(context: StageContext, folder: Path, chosen: SaveFact) -> None:
    generations = Generations(folder)
    generations.sweep()
    target = generations.path(chosen.iteration)
    if target == chosen.path:
        return
    if target.exists():  # of the same number; perhaps the same, perhaps of another course
        context.workspace.move_to_trash([target], "model-restore")
    copy_save(chosen.path, target)


def _move_later_ones_away(context: StageContext, folder: Path, iteration: int) -> None:
    generations = Generations(folder)
    later = [generations.path(number) for number in generations.iterations()]
    later = [path for path in later if int(path.name) > iteration]
    pictures = [
        path
        for page in list_preview_pictures(folder).values()
        for number, path in page
        if number > iteration
    ]
    trash = context.workspace.move_to_trash([*later, *pictures], "model-restore")
    if trash is not None:
        context.note(f"{len(later)} later saves and {len(pictures)} pictures are in {trash}")


def _rewind_history(context: StageContext, folder: Path, chosen: SaveFact) -> None:
    loss_names = model_spec(context.options["model_class"]).loss_names
    with HistoryWriter(folder, chosen.iteration, loss_names) as history:
        text = f"restored {chosen.kind} {chosen.name}"
        history.mark(Mark(chosen.iteration, time.time(), "restore", text))
        history.commit()
