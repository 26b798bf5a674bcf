"""The stage `model-restore`: an earlier save becomes the newest one.

At every moment the newest save in the model's folder is a whole one: first the present newest gets
a second name, then the chosen one is put among the saves, then those after it are moved away, the
newest last but for its number.
"""

from __future__ import annotations

from pathlib import Path

from engine.protocol.errors import ConfirmationNeeded
from engine.protocol.model_files import SaveFact, find_save, newest_generation
from engine.protocol.stage import StageContext
from engine.stages.kept_saves import keep_newest, mark_history, move_later_ones_away
from engine.stages.model_saves import model_folder
from engine.train.generations import Generations, check_generation
from engine.train.save_folders import copy_save


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
    move_later_ones_away(context, folder, chosen.iteration, label="model-restore")
    text = f"restored {chosen.kind} {chosen.name}"
    mark_history(context, folder, chosen.iteration, "restore", text)
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
    if newest is None:
        return None
    note = "the newest save when another one was restored"
    return keep_newest(folder, newest, before="restore", note=note)


def _put_among_generations(context: StageContext, folder: Path, chosen: SaveFact) -> None:
    generations = Generations(folder)
    generations.sweep()
    target = generations.path(chosen.iteration)
    if target == chosen.path:
        return
    if target.exists():  # of the same number; perhaps the same, perhaps of another course
        context.workspace.move_to_trash([target], "model-restore")
    copy_save(chosen.path, target)
