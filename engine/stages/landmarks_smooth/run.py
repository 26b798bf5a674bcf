"""The stage `landmarks-smooth`: landmarks smoothed over frames, and the faces cut anew by them.

Faces are made in a folder beside the faceset and then put in place one by one, the old ones to the
trash (`engine.stages.beside`). A face file keeps its landmarks as found, and every run smooths
these: so a run that was stopped, killed or started again comes to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, list_images
from engine.stages.beside import Beside, Tally, make_all, worker_count
from engine.stages.landmarks_smooth.faces import read_faces
from engine.stages.landmarks_smooth.plan import SmoothingPlan, plan_smoothing
from engine.stages.landmarks_smooth.recut import recut_file, write_wanted
from engine.stages.landmarks_smooth.report import mean_jitter, tell_jitter
from engine.stages.landmarks_smooth.undo import undo_last
from engine.stages.loose_faces import swept_loose_faces

FOLDER = "aligned_smoothed"
_NAMED_AT_MOST = 20


def run(context: StageContext) -> None:
    """Smooth a side's landmarks, only look, or undo.

    Raises `InputError` for a packed faceset, without frames, when no face can be used or the disk
    is full; `ConfirmationNeeded` when faces would be replaced; `Stopped`: the next run goes on.
    """
    side = context.workspace.side(context.options["side"])
    if context.options["work"] == "undo":
        _undo(context, side)
        return
    files, frames = swept_loose_faces(side), list_images(side.frames)
    faces = read_faces(context, files, frames)
    plan = plan_smoothing(context, side, faces, frames)
    tell_jitter(context, plan, frames)
    _tell_left_out(context, plan)
    if context.options["work"] == "look":
        _report(context, plan, None, side)
    else:
        _smooth(context, side, plan)


def _smooth(context: StageContext, side: Side, plan: SmoothingPlan) -> None:
    changed = plan.changed
    beside = _beside(context, side, plan)
    if changed and not context.confirmed:
        raise ConfirmationNeeded(
            f"{len(changed)} faces in {side.aligned} are to be cut anew",
            "confirm (--yes): the old ones go to the workspace's trash, and --work undo puts them"
            " back",
        )
    beside.prepare()
    tally = Tally()
    if not beside.is_half_in_place:
        tally = _recut(context, side, plan, beside, changed)
    replaced = beside.put_in_place("faces")
    _report(context, plan, (tally, replaced), side)


def _beside(context: StageContext, side: Side, plan: SmoothingPlan) -> Beside:
    settings = {
        "landmarks": plan.digest(),
        "interpolation": context.options["interpolation"],
    }
    return Beside(context, _label(side), side.aligned, side.frames / FOLDER, settings)


def _recut(
    context: StageContext,
    side: Side,
    plan: SmoothingPlan,
    beside: Beside,
    changed: Sequence[Path],
) -> Tally:
    wanted = context.run_dir / "landmarks.npz"
    write_wanted(wanted, plan)
    recut = partial(
        recut_file,
        wanted=wanted,
        digest=plan.digest(),
        frames=side.frames,
        interpolation=context.options["interpolation"],
    )
    pairs = [(path, beside.made / path.name) for path in changed]
    tally = make_all(beside, pairs, recut, processes=worker_count(context))
    wanted.unlink()
    return tally


def _undo(context: StageContext, side: Side) -> None:
    swept_loose_faces(side)
    if Beside(context, _label(side), side.aligned, side.frames / FOLDER, {}).is_half_in_place:
        raise InputError(
            f"the last smoothing of {side.name} was interrupted while it put faces in place",
            "run it again with the same options to complete that, then undo it",
            code="half-in-place",
        )
    undone = undo_last(context, side, _label(side))
    if undone.left:
        context.warn(
            f"{len(undone.left)} faces are not put back: they were removed, renamed or made anew"
            f" since ({', '.join(undone.left[:3])} ...)",
            "they are in the workspace's trash",
        )
    context.result(
        restored=undone.restored,
        restored_with_newer_labels=undone.labelled,
        left=len(undone.left),
        folder=str(side.aligned),
    )


def _label(side: Side) -> str:
    return f"landmarks-smooth-{side.name}"


def _tell_left_out(context: StageContext, plan: SmoothingPlan) -> None:
    left_out = plan.faces.left_out
    for problem in left_out[:_NAMED_AT_MOST]:
        context.warn(f"left as it is: {problem}")
    if len(left_out) > _NAMED_AT_MOST:
        context.warn(f"{len(left_out)} faces are left as they are in all")


def _report(
    context: StageContext, plan: SmoothingPlan, outcome: tuple[Tally, int] | None, side: Side
) -> None:
    before, after = mean_jitter(plan)
    facts: dict[str, str | int | float | None] = {
        "faces": len(plan.faces.paths) + len(plan.faces.left_out),
        "tracks": len(plan.tracks),
        "jitter_before_pct": round(before, 3),
        "jitter_after_pct": round(after, 3),
        "left_out": len(plan.faces.left_out),
    }
    if outcome is None:
        facts["would_change"] = len(plan.changed)
    else:
        tally, replaced = outcome
        facts |= {"recut": replaced, "not_recut": len(tally.problems), "folder": str(side.aligned)}
    context.result(**facts)
