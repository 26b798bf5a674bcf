"""What the stages that write a model for other programs share: which save, and what may be
replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import PART, replacing, sync
from engine.protocol.model_files import find_save
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.train.generations import Generation, Generations, read_generation

Source = TypeVar("Source")
_STEPS = 3


def chosen_save(
    context: StageContext, own_folder: Path, only: Callable[[str], bool] = lambda _: True
) -> Generation:
    """The save that the option `save` names, or the newest good one. only: which files to read, by
    stem. Raises `InputError` if there is none, or it is damaged."""
    if context.options["save"]:
        return read_generation(find_save(own_folder, context.options["save"]).path, only)
    saved = Generations(own_folder).newest(context.warn, only=only)
    if saved is None:
        raise InputError(f"{own_folder} has no save", "train the model first", code="no-model")
    return saved


def require_agreement(
    context: StageContext, present: Sequence[Path], what: str, other: str
) -> None:
    """Raises unless nothing is `present`, in one folder, or the user agreed to move it to the
    trash: `ConfirmationNeeded`, or `InputError` outside the workspace, whose trash it is.

    what: what is there, in words; other: what else the user could choose, such as "a name".
    """
    if not present:
        return
    if not present[0].is_relative_to(context.workspace.root):
        raise InputError(what, f"choose {other}: the trash is the workspace's")
    if not context.confirmed:
        raise ConfirmationNeeded(
            what, f"confirm (--yes) to move it to the workspace's trash, or choose {other}"
        )


def export_file(
    context: StageContext,
    target: Path,
    read: Callable[[], Source],
    as_bytes: Callable[[Source], bytes],
) -> Source:
    """Write one file of what `read` finds, in steps that viewers see, whole or not at all; one that
    is there goes to the trash first. Returns what was found.

    Raises as `require_agreement` does, before anything is read and again where a file came to be
    there meanwhile, and `InputError` when the disk is full.
    """
    _require_place(context, target)
    context.progress(0, _STEPS, unit="steps", note="reading the weights")
    source = read()
    context.check_stop()
    context.progress(1, _STEPS, unit="steps", note="writing the net down")
    data = as_bytes(source)
    context.check_stop()
    context.progress(2, _STEPS, unit="steps", note="writing the file")
    _put(context, target, data)
    context.progress(_STEPS, _STEPS, unit="steps")
    return source


def _require_place(context: StageContext, target: Path) -> None:
    present = [target] if target.exists() else []
    require_agreement(context, present, f"{target} is there", "another folder")


def _put(context: StageContext, target: Path, data: bytes) -> None:
    make_folder(target.parent)
    with replacing(target) as beside:
        for left_by_kill in target.parent.glob(f".{target.stem}.*{PART}{target.suffix}"):
            left_by_kill.unlink()
        beside.write_bytes(data)
        sync(beside)  # before the trash: only now is it sure that the disk holds it
        context.check_stop()
        _require_place(context, target)
        if target.exists():
            trash = context.workspace.move_to_trash([target], target.stem)
            context.note(f"the file that was there is in {trash}")
