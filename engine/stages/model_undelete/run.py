"""The stage `model-undelete`: a model comes back out of the trash.

The looks of its merging come first: a run that is broken off can be made again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error
from engine.protocol.model_trash import DeletedModel, deleted_models
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.stages.model_names import own_timeline


def undelete_model(context: StageContext) -> None:
    """Bring it back. Raises `InputError` if there is none of that name in the trash, or one in its
    place; nothing has changed then."""
    options, workspace = context.options, context.workspace
    folder = workspace.model(options["model"], options["model_class"])
    deleted = _deleted(context)
    if folder.exists():
        raise InputError(
            f"there is a model {folder.name} in {folder.parent} again",
            "rename it first (model-rename)",
            code="name-taken",
        )
    looks = own_timeline(context)
    for path in (looks, folder):
        _bring_back(deleted.trash / path.relative_to(workspace.root), path)
    _forget_if_empty(deleted.trash)
    context.result(model=options["model"], folder=str(folder))


def _deleted(context: StageContext) -> DeletedModel:
    wanted = (context.options["model"], context.options["model_class"])
    found = deleted_models(context.workspace)
    for deleted in found:
        if (deleted.name, deleted.model_class) == wanted:
            return deleted
    known = ", ".join(dict.fromkeys(f"{d.name} ({d.model_class})" for d in found))
    raise InputError(
        f"no model {wanted[0]} of class {wanted[1]} is in the trash",
        f"choose one of these: {known}" if known else "no deleted model is there to bring back",
        code="no-model",
    )


def _bring_back(source: Path, target: Path) -> None:
    """Raises `InputError` if the disk refuses. What has a successor stays in the trash."""
    if not source.exists() or target.exists():
        return
    make_folder(target.parent)
    try:
        source.rename(target)
    except OSError as error:
        raise disk_error(error, target) from error


def _forget_if_empty(trash: Path) -> None:
    folders = [path for path in trash.rglob("*") if path.is_dir()]
    for folder in (*sorted(folders, reverse=True), trash):
        with suppress(OSError):  # what is still in it stays
            folder.rmdir()
