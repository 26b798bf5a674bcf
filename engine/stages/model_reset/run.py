"""The stage `model-reset`: a new save in which some nets know nothing.

At every moment the newest save is a whole one, or a snapshot of it is there: first the newest gets
a second name, then the new one is written beside, then they change places.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.models.classes import model_code, model_spec
from engine.nets.device import prepare_device
from engine.protocol.errors import ConfirmationNeeded, InputError, UsageError
from engine.protocol.files import disk_error
from engine.protocol.model_files import OPTIMIZER_ENDING
from engine.protocol.model_resets import ModelReset, reset_named, resets_for
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.stages.kept_saves import keep_newest, mark_history, move_later_ones_away
from engine.stages.model_names import command_for_model, whole_model
from engine.train.generations import Generation, Generations, Manifest, State
from engine.train.last_options import forget_changed
from engine.train.phases import Phases
from engine.train.save_folders import part_beside, put_in_place


def reset_model(context: StageContext) -> None:
    """Make nets anew. Raises `InputError` for a model without a good save, `UsageError` if it has
    none of the nets, `ConfirmationNeeded` without the user's yes; nothing has changed then."""
    folder, reset = whole_model(context), reset_named(context.options["what"])
    spec = model_spec(context.options["model_class"])
    saved = _newest(context, folder)
    nets = _chosen(reset, saved)
    _require_confirmation(context, folder, nets)
    options = _options(context, spec, reset, saved)
    context.check_stop()
    state, seed = _fresh(context, spec, reset, nets, saved, options)
    context.check_stop()
    kept_as = keep_newest(
        folder, saved.path, before="reset", note=f"before {reset.title} was reset"
    )
    iteration = 0 if reset.from_zero else saved.manifest.iteration
    carried = {} if reset.begins_again else _place_in_plan(saved)
    manifest = msgspec.structs.replace(
        saved.manifest,
        iteration=iteration,
        seed=seed,
        options=options,
        smoothed_loss=None,
        carried=carried,
    )
    _write(context, folder, manifest, state)
    forget_changed(folder)
    move_later_ones_away(context, folder, iteration, label="model-reset")
    text = f"{reset.title}: fresh weights for {', '.join(nets)}"
    mark_history(context, folder, iteration, "reset", text)
    undo = command_for_model(context, "model-restore", "--save", kept_as, "--yes")
    context.note(f"to undo it: {undo}")
    context.result(iteration=iteration, nets=", ".join(nets), kept_as=kept_as)


def _newest(context: StageContext, folder: Path) -> Generation:
    saved = Generations(folder).newest(context.warn)
    if saved is None:
        raise InputError(f"nothing is saved in {folder}", "train the model first", code="no-save")
    return saved


def _chosen(reset: ModelReset, saved: Generation) -> tuple[str, ...]:
    present = [stem for stem in saved.state if not stem.endswith(OPTIMIZER_ENDING)]
    nets = reset.nets_among(present)
    if not nets:
        offered = ", ".join(other.id for other in resets_for(present))
        raise UsageError(
            f"--what {reset.id}: the model has none of these nets, only {', '.join(present)}",
            f"choose one of: {offered}",
            code="option-value",
        )
    return nets


def _require_confirmation(context: StageContext, folder: Path, nets: Sequence[str]) -> None:
    if not context.confirmed:
        raise ConfirmationNeeded(
            f"{', '.join(nets)} of {folder.name} would forget what they have learned",
            "confirm (--yes): the save as it is becomes a snapshot, which model-restore brings"
            " back",
        )


def _options(
    context: StageContext, spec: ModelSpec, reset: ModelReset, saved: Generation
) -> dict[str, Any]:
    """The save's options with those that the reset sets; each change is noted."""
    rows = {option.name: option for option in spec.options}
    options = dict(saved.manifest.options)
    for row in spec.options:  # those that came after the save was made
        options.setdefault(row.name, row.default_among(options))
    for name, value in reset.changes.items():
        if name in rows and options[name] != rows[name].parse(value):
            options[name] = rows[name].parse(value)
            context.note(f"{rows[name].label}: {options[name]} from now on")
    return options


def _fresh(
    context: StageContext,
    spec: ModelSpec,
    reset: ModelReset,
    nets: Sequence[str],
    saved: Generation,
    options: Mapping[str, Any],
) -> tuple[State, int]:
    """The model's state with these nets anew, and the seed that it has then."""
    prepare_device("cpu", context.warn)
    make = model_code(spec)
    if reset.from_zero:
        seed = secrets.randbelow(2**31 - 1) + 1
        return make(options, seed=seed, dtype="float32").state(), seed
    model = make(options, seed=saved.manifest.seed, dtype="float32", saved=saved)
    model.reset_nets(nets)
    return model.state(), saved.manifest.seed


def _place_in_plan(saved: Generation) -> dict[str, dict[str, Any]]:
    carried = saved.manifest.carried
    return {name: carried[name] for name in (Phases.carried_as,) if name in carried}


def _write(context: StageContext, folder: Path, manifest: Manifest, state: State) -> None:
    """Put the new save among the others; one of the same iteration goes to the trash."""
    generations = Generations(folder)
    generations.sweep()
    target = generations.path(manifest.iteration)
    beside = part_beside(target)
    try:
        written = Generations(beside).write(manifest, state)
        context.workspace.move_to_trash([target], "model-reset")
        put_in_place(written, target)
    except OSError as error:
        raise disk_error(error, target) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
