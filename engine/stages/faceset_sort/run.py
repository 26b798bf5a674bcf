"""The stage `faceset-sort`: measure the faces, rank them, rename them.

Nothing is renamed before the whole order is known; renaming is planned on disk first, so that an
interrupted sort is completed by the next one, and the last one can be undone.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.faces.loose_faces import loose_faces
from engine.faces.sorting.moves import (
    DONE,
    Move,
    MovePlan,
    carry_out,
    check_way,
    read_plan,
    start_plan,
)
from engine.faces.sorting.ranking import Method, Ranking, SortSettings
from engine.faces.sorting.scores import MeasuredFaces
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.workspace import IMAGE_SUFFIXES, Side, list_images
from engine.stages.faceset_sort.by_index import IndexMethod
from engine.stages.faceset_sort.measure import MeasuredSet, measure_faceset
from engine.stages.faceset_sort.methods import SortMethod, method_named

TRASH = "aligned_trash"
_FEWEST_DIGITS = 5  # DFL's %05d
_NAMED_AT_MOST = 20


def run(context: StageContext) -> None:
    """Sort a side's faces, or undo the last sort.

    Raises `InputError` without faces, with a packed faceset, when no face would stay, and when a
    file is in the way; `Stopped` with nothing renamed.
    """
    side = context.workspace.side(context.options["side"])
    if _completed_interrupted(context, side):
        return
    if context.options["undo"]:
        _undo(context, side)
    else:
        _sort(context, side)


def plan_path(context: StageContext, side: Side) -> Path:
    """Where the side's last sort is written down."""
    return context.workspace.stage_state / f"faceset-sort-{side.name}.json"


def _completed_interrupted(context: StageContext, side: Side) -> bool:
    """Whether an interrupted sort was waiting, and it was the one that is wanted now."""
    plan = read_plan(plan_path(context, side))
    if plan is None or (plan.phase == DONE and not plan.facts.get("undo")):
        return False
    if context.options["dry_run"]:
        raise InputError(
            f"an interrupted run ({plan.title}) has left the faces half renamed",
            "run faceset-sort without --dry-run first: it completes that one",
            code="interrupted-sort",
        )
    gone = carry_out(side.frames, plan_path(context, side), plan)
    context.note(f"completed what was interrupted: {plan.title}")
    _tell(context, "gone since", gone)
    if plan.facts.get("undo"):
        _forget_plan(context, side, plan)
        return bool(context.options["undo"])
    if context.options["undo"] or plan.facts.get("asked") != _asked(context):
        return False
    context.result(faces=len(list_images(side.aligned)), folder=str(side.aligned))
    return True


def _sort(context: StageContext, side: Side) -> None:
    started = time.monotonic()
    paths = loose_faces(side, IMAGE_SUFFIXES)
    method = method_named(context.options["method"])
    order, trash, from_cache = _new_order(context, side, method, paths)
    plan = _plan(context, side, method, order, trash)
    _tell(context, "for the trash", [f"{path.name}: {why}" for path, why in trash.items()])
    if context.options["dry_run"]:
        _show(context, order, trash)
    elif plan.moves:
        gone = start_plan(side.frames, plan_path(context, side), plan)
        _tell(context, "gone while sorting", gone)
    else:
        context.note("the faces are in this order already: nothing to do")
    trash_folder = side.frames / plan.facts["trash"]
    context.result(
        faces=len(order),
        trashed=len(trash),
        measured=len(paths) - from_cache,
        seconds=round(time.monotonic() - started, 2),
        folder=str(side.aligned),
        trash=str(trash_folder) if trash_folder.is_dir() else None,
    )


def _new_order(
    context: StageContext, side: Side, method: SortMethod, paths: Sequence[Path]
) -> tuple[list[Path], dict[Path, str], int]:
    """The files that stay in their order, those for the trash with the reason, and how many needed
    no measuring."""
    if method.from_index:
        by_index: IndexMethod = _resolved(method)
        measured = MeasuredSet(MeasuredFaces(tuple(paths), {}), {}, len(paths))
        ranking = by_index(context, side, paths)
    else:
        cache_path = context.workspace.stage_state / f"faceset-scores-{side.name}.sqlite"
        measured = measure_faceset(context, cache_path, paths, method.measures)
        ranking = _ranked(context, method, measured.faces)
    if not ranking.order:
        why = next(iter([*measured.unreadable.values(), *ranking.trash.values()]))
        raise InputError(
            f"--method {method.name} would send every face to the trash: {why}",
            "choose a method that looks at pictures only, such as hist, or extract the faces again",
            code="nothing-left",
        )
    trash = {measured.faces.paths[row]: why for row, why in ranking.trash.items()}
    order = [measured.faces.paths[row] for row in ranking.order]
    return order, measured.unreadable | trash, measured.from_cache


def _ranked(context: StageContext, method: SortMethod, faces: MeasuredFaces) -> Ranking:
    def checkpoint(placed: int) -> None:
        context.check_stop()
        context.progress(placed, len(faces), unit="faces", note="comparing")

    rank: Method = _resolved(method)
    options = context.options
    ranking = rank(faces, SortSettings(options["target"], options["similar"]), checkpoint)
    checkpoint(len(faces))
    return ranking


def _resolved(method: SortMethod) -> Any:
    module, _, function = method.code.partition(":")
    return getattr(import_module(module), function)


def _plan(
    context: StageContext,
    side: Side,
    method: SortMethod,
    order: Sequence[Path],
    trash: Mapping[Path, str],
) -> MovePlan:
    folder = side.aligned.name
    trash_folder = _new_trash_folder(side, method)
    token = secrets.token_hex(4)
    digits = max(_FEWEST_DIGITS, len(str(len(order) - 1)))
    stay = [
        Move(f"{folder}/{path.name}", f"{folder}/sorting-{token}-{at:0{digits}d}{path.suffix}", new)
        for at, path in enumerate(order)
        if (new := f"{folder}/{at:0{digits}d}{_suffix(path)}") != f"{folder}/{path.name}"
    ]
    out = [
        Move(f"{folder}/{path.name}", new, new)
        for path in trash
        for new in [f"{trash_folder}/{path.name}"]
    ]
    facts = {"asked": _asked(context), "trash": trash_folder}
    return MovePlan(f"sort by {method.name}", (*stay, *out), facts)


def _new_trash_folder(side: Side, method: SortMethod) -> str:
    """A name that no folder has: what an earlier sort took out stays where it is."""
    name = f"{TRASH}/{time.strftime('%Y%m%d-%H%M%S')}-{method.name}"
    number = 1
    while (side.frames / name).exists():
        number += 1
        name = f"{name.removesuffix(f'-{number - 1}')}-{number}"
    return name


def _suffix(path: Path) -> str:
    """Lower case, and .jpg for .jpeg: DeepFaceLab takes no other for faces."""
    suffix = path.suffix.lower()
    return ".jpg" if suffix == ".jpeg" else suffix


def _asked(context: StageContext) -> dict[str, Any]:
    """The options that tell whether a run wants the same as an interrupted one."""
    return {name: context.options[name] for name in ("method", "target", "similar", "reference")}


def _undo(context: StageContext, side: Side) -> None:
    path = plan_path(context, side)
    last = read_plan(path)
    if last is None:
        raise InputError(
            f"there is no sort of {side.name} to undo", "only the last sort can be undone, once"
        )
    back = last.reversed(f"undo of: {last.title}", {**last.facts, "undo": True})
    _tell(context, "gone since the sort", _gone(side, back))
    if context.options["dry_run"]:
        check_way(side.frames, back)
        context.note(f"would take back: {last.title}, {len(back.moves)} files")
        return
    gone = start_plan(side.frames, path, back)
    _forget_plan(context, side, back)
    context.note(f"taken back: {last.title}")
    context.result(restored=len(back.moves) - len(gone), folder=str(side.aligned))


def _gone(side: Side, plan: MovePlan) -> list[str]:
    return [move.old for move in plan.moves if not (side.frames / move.old).exists()]


def _forget_plan(context: StageContext, side: Side, undone: MovePlan) -> None:
    """After an undo: no plan, and no empty trash folders."""
    for folder in (side.frames / undone.facts["trash"], side.frames / TRASH):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    plan_path(context, side).unlink()


def _show(context: StageContext, order: Sequence[Path], trash: Mapping[Path, str]) -> None:
    path = context.run_dir / "order.json"
    fields = {
        "order": [face.name for face in order],
        "trash": {face.name: why for face, why in trash.items()},
    }
    write_atomically(path, json.dumps(fields, indent=1).encode(), durable=False)
    context.note(f"nothing was renamed; the order is in {path}")


def _tell(context: StageContext, what: str, lines: Sequence[str]) -> None:
    for line in lines[:_NAMED_AT_MOST]:
        context.note(f"{what}: {line}")
    if len(lines) > _NAMED_AT_MOST:
        context.note(f"{what}: and {len(lines) - _NAMED_AT_MOST} more")
