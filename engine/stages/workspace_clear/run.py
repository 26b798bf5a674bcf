"""The stage `workspace-clear`: frames, faces and models into the trash; empty folders instead."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import DRAFT_NAME, Side, Workspace, list_images, make_folder


def clear_workspace(context: StageContext) -> None:
    """Move frames, faces, merged frames and models to the trash. Other files stay.

    Raises `ConfirmationNeeded` when there is anything to move and the user did not agree, and
    `InputError` when a model is being trained, both before anything is moved.
    """
    workspace = context.workspace
    filled = {path: files for path in _to_clear(context) if (files := _files_in(path))}
    if filled and not context.confirmed:
        names = ", ".join(path.name for path in filled)
        raise ConfirmationNeeded(
            f"{names} in {workspace.root} would go to the trash: {sum(filled.values())} files",
            "confirm (--yes) to move them to the workspace's trash, from where they can be moved"
            " back",
        )
    if workspace.models in filled:
        _require_no_training(workspace)
    cleared = [side for side in (workspace.src, workspace.dst) if side.frames in filled]
    told = [path for side in cleared for path in _told_of(workspace, side)]
    trash = workspace.move_to_trash([*filled, *told], "workspace-clear")
    for folder in _folders(context):
        make_folder(folder)
    if trash is None:
        context.note("the workspace is clear already: nothing to do")
    context.result(
        moved=", ".join(path.name for path in filled) or None,
        files=sum(filled.values()),
        trash=str(trash) if trash else None,
    )


def _told_of(workspace: Workspace, side: Side) -> list[Path]:
    """What stages keep about the side's frames and faces by name (marks, what was decided by hand,
    how far they are): the next video's have the same names."""
    folders = [workspace.state / kind for kind in ("marks", "manual", "reports", "labels")]
    told = [path for folder in folders for path in folder.glob(f"{side.name}.*")]
    told += workspace.stage_state.glob(f"*-{side.name}.*")
    if side.name == "dst":
        told += (workspace.state / "merge").glob("*.timeline.toml")
    return sorted(path for path in told if path.suffix != ".lock")


def _to_clear(context: StageContext) -> list[Path]:
    workspace = context.workspace
    paths = [workspace.src.frames, workspace.dst.frames]
    if context.options["models"]:
        paths.append(workspace.models)
    if context.options["results"]:
        paths += sorted(path for path in workspace.root.glob("result*") if _is_result(path))
    return paths


def _is_result(path: Path) -> bool:
    """A result, a draft, the mask of one, or what lies beside them."""
    name, dot, _ = path.name.partition(".")
    is_named_so = name.removesuffix("_mask") in ("result", DRAFT_NAME)
    return is_named_so and (path.is_file() if dot else bool(list_images(path)))


def _folders(context: StageContext) -> list[Path]:
    """The folders that DeepFaceLab makes anew."""
    workspace = context.workspace
    sides = (workspace.src, workspace.dst)
    aligned = [folder for side in sides for folder in (side.aligned, side.aligned_debug)]
    return [*aligned, workspace.models]


def _files_in(path: Path) -> int:
    """How many files are in the folder and below; 1 for a file, 0 if nothing is there."""
    if path.is_file():
        return 1
    return sum(len(names) for _, _, names in os.walk(path))


def _require_no_training(workspace: Workspace) -> None:
    """Locks are by model, and models have any name: whoever holds one of them is in the way."""
    for lock in sorted((workspace.state / "locks").glob("model-*.lock")):
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"a run is working on {lock.stem}",
                "wait for it or stop it: `facewright stop RUN`",
                code="busy",
            ) from None
        except FileNotFoundError:
            continue  # that run ended meanwhile
