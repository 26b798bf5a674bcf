"""The stage `model-save-delete`: a snapshot or backup goes to the trash."""

from __future__ import annotations

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.model_files import find_save
from engine.protocol.stage import StageContext
from engine.stages.model_saves import model_folder


def delete_save(context: StageContext) -> None:
    """Move it to the trash. Raises `InputError` if there is none of that name or it is one of the
    saves that training itself makes and forgets, `ConfirmationNeeded` without the user's yes."""
    save = find_save(model_folder(context), context.options["save"])
    if save.kind == "generation":
        raise InputError(
            f"{save.name} is a save of training, which keeps the newest ones",
            "the option --keep of train says how many; here, name a snapshot or backup",
        )
    if not context.confirmed:
        raise ConfirmationNeeded(
            f"the {save.kind} {save.name} would go to the trash",
            "confirm (--yes) to move it to the workspace's trash",
        )
    trash = context.workspace.move_to_trash([save.path], "model-save-delete")
    context.result(deleted=save.name, trash=str(trash))
