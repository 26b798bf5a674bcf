"""Which training plan a run follows."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.errors import InputError, UsageError
from engine.protocol.plan_presets import preset_for
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.protocol.training_plan import Plan, check_plan, plan_path, read_plan, write_plan
from engine.protocol.workspace import make_folder


def settle_plan(context: StageContext, spec: ModelSpec, model_folder: Path) -> bool:
    """Make the plan that the run's options ask for the model's own. Returns whether the run follows
    plans at all.

    Raises `InputError` for a plan that cannot be read or written, `UsageError` for one that the
    model cannot follow; nothing is changed then.
    """
    choice, path = context.options["plan"], plan_path(model_folder)
    if choice == "none":
        return False
    if choice == "own":
        if path.exists():
            check_plan(read_plan(path), spec, context.options)
        return True
    wanted = (
        _file(context.options["plan_file"])
        if choice == "file"
        else preset_for(choice, spec.options)
    )
    check_plan(wanted, spec, context.options)
    _make_own(context, path, wanted, keeps_edited=choice != "file")
    return True


def put_plan(context: StageContext, path: Path, plan: Plan) -> None:
    """Write a model's own plan; one that is there goes to the workspace's trash."""
    trash = context.workspace.move_to_trash([path], "plan")
    if trash:
        context.warn(f"the plan {path} was replaced; it is in {trash} now")
    make_folder(path.parent)
    write_plan(path, plan)


def _file(path: str) -> Plan:
    if not path:
        raise UsageError("--plan file needs a file", "name it with --plan-file")
    return read_plan(Path(path))


def _make_own(context: StageContext, path: Path, wanted: Plan, *, keeps_edited: bool) -> None:
    """`keeps_edited`: the same preset, changed by hand since, is what was meant."""
    try:
        own = read_plan(path) if path.exists() else None
    except InputError:
        own = None
    if own == wanted:
        return
    if own is not None and keeps_edited and own.origin == wanted.origin:
        context.note(f"the plan is {path}, which was made from the preset {own.origin}")
        return
    put_plan(context, path, wanted)
