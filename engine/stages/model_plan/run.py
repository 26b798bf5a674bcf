"""The stage model-plan: a model's training plan, shown, checked, or written from a preset."""

from __future__ import annotations

from engine.models.classes import model_spec
from engine.protocol.errors import ConfirmationNeeded
from engine.protocol.model_files import saved_options
from engine.protocol.plan_presets import preset_for
from engine.protocol.stage import StageContext
from engine.protocol.training_plan import Phase, Plan, check_plan, plan_path, read_plan, scaled
from engine.stages.model_plan.spec import SHOW
from engine.stages.train.plan import put_plan


def run(context: StageContext) -> None:
    """Note the phases of the plan. Raises `InputError` if there is none or it cannot be read,
    `UsageError` naming phase and option where the model cannot follow it, and
    `ConfirmationNeeded` if another plan is there."""
    options = context.options
    spec = model_spec(options["model_class"])
    folder = context.workspace.model(options["model"], spec.id)
    path = plan_path(folder)
    if options["preset"] == SHOW:
        plan = read_plan(path)
    else:
        plan = scaled(preset_for(options["preset"], spec.options), options["scale"])
    check_plan(plan, spec, saved_options(folder))
    if options["preset"] != SHOW:
        if path.exists() and not context.confirmed:
            raise ConfirmationNeeded(
                f"the model has a plan already: {path}",
                "confirm (--yes) to move it to the workspace's trash",
            )
        put_plan(context, path, plan)
    _tell(context, plan)
    context.result(plan=str(path), phases=len(plan.phases))


def _tell(context: StageContext, plan: Plan) -> None:
    context.note(f"{plan.title}. {plan.note}".strip())
    for number, phase in enumerate(plan.phases, 1):
        context.note(f"{number}. {phase.name}: {_changes(phase)}; ends {phase.end_text()}")


def _changes(phase: Phase) -> str:
    changes = [f"{name} {_word(value)}" for name, value in phase.changes.items()]
    if phase.reset:
        nets = ", ".join(phase.reset.nets)
        changes.append(f"{nets} anew every {phase.reset.every} iterations")
    return ", ".join(changes) or "nothing changes"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
