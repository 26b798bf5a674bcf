"""The stage `model-delete`: a model goes to the trash, whole."""

from __future__ import annotations

from engine.protocol.errors import ConfirmationNeeded
from engine.protocol.model_files import list_saves
from engine.protocol.model_trash import DELETED
from engine.protocol.stage import StageContext
from engine.stages.model_names import command_for_model, own_timeline, whole_model


def delete_model(context: StageContext) -> None:
    """Move it to the trash. Raises `InputError` if there is no such model, `ConfirmationNeeded`
    without the user's yes; nothing has changed then."""
    folder = whole_model(context)
    saves = len(list_saves(folder))
    if not context.confirmed:
        raise ConfirmationNeeded(
            f"the model {folder.name} with its {saves} saves would go to the trash",
            "confirm (--yes) to move it to the workspace's trash",
        )
    moved = [path for path in (folder, own_timeline(context)) if path.exists()]
    trash = context.workspace.move_to_trash(moved, DELETED)
    context.note(f"to bring it back: {command_for_model(context, 'model-undelete')}")
    context.result(deleted=folder.name, saves=saves, trash=str(trash))
