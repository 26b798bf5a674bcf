"""The train stage: opens both facesets and the model, and hands them to the loop."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.models.classes import model_code, model_spec
from engine.nets.device import Device
from engine.protocol.options import Life, Option
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.protocol.survey import survey_models
from engine.protocol.workspace import make_folder
from engine.stages.train.damaged_saves import put_damaged_aside
from engine.stages.train.faces import MakeFaces, ModelFaces, TrainingFaces
from engine.stages.train.plan import settle_plan
from engine.stages.train.spec import TRAIN
from engine.stages.train.workers import EndsWithFollowers, Machines, follow, open_devices
from engine.train.backups import Backups
from engine.train.companions import Companion
from engine.train.event_files import EventFiles
from engine.train.feed import Feed, Opener
from engine.train.generations import Generation, Generations, Manifest
from engine.train.history import HistoryWriter
from engine.train.last_options import KeptOptions
from engine.train.loop import TrainingLoop
from engine.train.phases import Phases
from engine.train.preview_history import PreviewHistory
from engine.train.saver import Saver
from engine.train.step_times import sample_figures
from engine.train.together import Begin, Leader, Line
from engine.train.trainable import Trainable

if TYPE_CHECKING:
    from engine.nets.distribution import Distribution


def run(context: StageContext) -> None:
    """Train a model until its target, a time limit or a stop request. Raises `Stopped` after saving
    if stopped, `InputError` for unusable faces or saves."""
    train(context, TrainingFaces)


def train(context: StageContext, make_faces: MakeFaces) -> None:
    """As `run`. make_faces: opens what the model class learns from."""
    spec = model_spec(context.options["model_class"])
    machines = Machines.of(context.options)
    faces = make_faces(context, machines.share)
    if machines.follows:
        follow(context, spec, machines, faces)
    else:
        _lead(context, spec, machines, faces)


def _lead(context: StageContext, spec: ModelSpec, machines: Machines, faces: ModelFaces) -> None:
    """Train with the whole loop, alone or before followers."""
    options = context.options
    faces.open(options)
    context.check_stop()
    folder = context.workspace.model(options["model"], spec.id)
    follows_plans = settle_plan(context, spec, folder)
    make_folder(folder)
    generations = Generations(folder)
    generations.sweep()
    model, opened = _open_model(context, spec, machines, generations)
    device, distribution, saved = opened.device, opened.distribution, opened.saved
    _tell_if_target_is_reached(context, model)
    context.check_stop()
    model.trace()
    context.check_stop()
    companions = _companions(context, spec, model, folder, saved, follows_plans=follows_plans)
    with ExitStack() as open_things:
        if machines.are_several:
            model = open_things.enter_context(Leader(model, Line(distribution.sum)))
            companions.append(EndsWithFollowers(model))
        history = open_things.enter_context(HistoryWriter(folder, model.iteration, spec.loss_names))
        saver = open_things.enter_context(
            Saver(generations, saved.iteration if saved else 0, context.warn)
        )
        feed = open_things.enter_context(_feed(faces, model, device, saved))
        loop = TrainingLoop(
            context,
            model,
            feed,
            history,
            saver,
            model_folder=folder,
            model_class=spec.id,
            running_options=running_options(spec),
            companions=companions,
        )
        try:
            loop.run()
        finally:
            _report(context, spec, loop)


@dataclass(frozen=True)
class _Opened:
    """What a model trains on, and the manifest of the save that it goes on from. Not that save's
    weights: as many again as the model's own."""

    device: Device
    distribution: Distribution
    saved: Manifest | None


def _open_model(
    context: StageContext, spec: ModelSpec, machines: Machines, generations: Generations
) -> tuple[Any, _Opened]:
    saved = generations.newest(context.warn)
    context.check_stop()
    device, distribution = open_devices(context, machines)
    model = _make_model(context, spec, device, saved, distribution)
    if saved:
        put_damaged_aside(context, generations, saved.manifest.iteration)
    else:
        _tell_of_namesakes(context, spec)
    return model, _Opened(device, distribution, saved.manifest if saved else None)


def _make_model(
    context: StageContext,
    spec: ModelSpec,
    device: Device,
    saved: Generation | None,
    distribution: Distribution,
) -> Any:
    """The model, going on from its newest good save if there is one; followers make theirs."""
    options = {option.name: context.options[option.name] for option in spec.options}
    seed = context.options["seed"] or secrets.randbelow(2**31 - 1) + 1
    if saved:
        seed = saved.manifest.seed
        for option in spec.options:
            if option.life is Life.CREATION:
                options[option.name] = saved.manifest.options[option.name]
    dtype = device.keras_dtype(context.options["precision"])
    begins = f"goes on from iteration {saved.manifest.iteration}" if saved else "is new"
    context.note(f"the model {begins}; {device.description}, {dtype}; its steps are compiled now")
    if distribution.workers > 1:
        begin = Begin(spec.id, options, seed, dtype, saved.manifest.drawn if saved else 0)
        Line(distribution.sum).send(begin)
    return model_code(spec)(options, seed=seed, dtype=dtype, saved=saved, distribution=distribution)


def _tell_of_namesakes(context: StageContext, spec: ModelSpec) -> None:
    """A model's class is easily left out where one means to go on with it."""
    name = context.options["model"]
    for model in survey_models(context.workspace):
        if model.name == name and model.model_class != spec.id and model.iteration is not None:
            context.warn(
                f"{name} ({spec.id}) is a new model beside {name} ({model.model_class}) at"
                f" iteration {model.iteration}",
                f"to go on with that one, stop and give --model-class {model.model_class}",
            )


def _tell_if_target_is_reached(context: StageContext, model: Trainable) -> None:
    target = context.options["target_iter"]
    if target and model.iteration >= target:
        context.warn(
            f"the model has made {model.iteration} iterations, its target is {target}: no more"
            " are made",
            "give a larger --target-iter, or 0 for no target",
        )


def _feed(faces: ModelFaces, model: Trainable, device: Device, saved: Manifest | None) -> Feed:
    wanted = model.sampling().kind.face_type

    def sources(options: Mapping[str, Any]) -> Opener:
        return faces.sources(options, wanted, seed=model.seed, device=device)

    first = saved.drawn if saved else 0
    return Feed(sources, model.options, model.sampling(), first)


def _companions(
    context: StageContext,
    spec: ModelSpec,
    model: Trainable,
    folder: Path,
    saved: Manifest | None,
    *,
    follows_plans: bool,
) -> list[Companion]:
    """Phases come first: what else looks at a step sees the options that the next one has."""
    carried = saved.carried if saved else {}
    phases = Phases(folder, spec, carried.get(Phases.carried_as, {}))
    return [
        KeptOptions(_kept(context.options, follows_plans=follows_plans), model.options),
        *([phases] if follows_plans else []),
        Backups(),
        PreviewHistory(folder, model.sampling().kind.side_px),
        EventFiles(folder, spec.loss_names),
    ]


def _kept(options: Mapping[str, Any], *, follows_plans: bool) -> dict[str, Any]:
    """The run's own options that the model goes on with. A preset or a file is its own plan now."""
    kept = {option.name: options[option.name] for option in TRAIN.options if option.kept}
    return {**kept, "plan": "own" if follows_plans else "none"}


def running_options(spec: ModelSpec) -> Mapping[str, Option]:
    """The options of stage and model class that may change while training, by name."""
    return {
        option.name: option
        for option in (*TRAIN.options, *spec.options)
        if option.life is Life.RUNNING
    }


def _report(context: StageContext, spec: ModelSpec, loop: TrainingLoop) -> None:
    """Facts of the run, also when it ends by a stop or an error."""
    batches = loop.batches
    losses = dict(zip((f"loss_{name}" for name in spec.loss_names), loop.last_losses, strict=False))
    context.result(
        iteration=loop.model.iteration,
        iterations_made=loop.times.made,
        iterations_per_s=round(loop.times.per_s, 3),
        **sample_figures(loop.times, batches),
        waited_for_samples_s=round(batches.rates.waited_s, 2),
        steps_skipped=loop.bad_steps.count,
        saved_iteration=loop.saving.saver.last_iteration,
        **losses,
    )
    for side in batches.sides:
        if side.unusable:
            context.note(f"{side.side}: {len(side.unusable)} faces could not be used")
