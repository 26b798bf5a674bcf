"""The train stage: opens both facesets and the model, and hands them to the loop."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import cv2
import psutil

from engine.faces.face_type import FaceType
from engine.faces.faceset import Faceset, open_faceset
from engine.models.classes import model_code, model_spec
from engine.nets.device import Device, prepare_device
from engine.protocol.errors import InputError
from engine.protocol.options import Life, Option
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, make_folder
from engine.stages.train.spec import TRAIN
from engine.train.backups import Backups
from engine.train.event_files import EventFiles
from engine.train.feed import Feed
from engine.train.generations import Generation, Generations
from engine.train.history import HistoryWriter
from engine.train.loop import TrainingLoop
from engine.train.preview_history import PreviewHistory
from engine.train.saver import Saver
from engine.train.sources import Sources

# Crops are kept in at most this share of the memory that is free at the start, and this many bytes.
CACHE_SHARE = 0.25
LARGEST_CACHE_BYTES = 8 << 30
MOST_AUTO_LOADERS = 8


def run(context: StageContext) -> None:
    """Train a model until its target, a time limit or a stop request. Raises `Stopped` after saving
    if stopped, `InputError` for unusable faces or saves."""
    options = context.options
    spec = model_spec(options["model_class"])
    src = _open(context, context.workspace.src)
    dst = _open(context, context.workspace.dst)
    context.check_stop()
    folder = make_folder(context.workspace.model(options["model"], spec.id))
    generations = Generations(folder)
    generations.sweep()
    saved = generations.newest(context.warn)
    context.check_stop()
    device = prepare_device(options["device"], context.warn)
    model = _make_model(context, spec, device, saved)
    for faceset in (src, dst):
        _warn_of_narrow_faces(context, faceset, model.sampling().kind.face_type)
    context.check_stop()
    model.trace()
    context.check_stop()
    with ExitStack() as open_things:
        history = open_things.enter_context(HistoryWriter(folder, model.iteration, spec.loss_names))
        saver = open_things.enter_context(Saver(generations, model.iteration, context.warn))
        first = saved.manifest.drawn if saved else 0
        sources = _sources(context, src, dst, model.seed, device)
        feed = open_things.enter_context(
            Feed(lambda _: sources, model.options, model.sampling(), first)
        )
        loop = TrainingLoop(
            context,
            model,
            feed,
            history,
            saver,
            model_folder=folder,
            model_class=spec.id,
            running_options=running_options(spec),
            companions=(
                Backups(),
                PreviewHistory(folder, model.sampling().kind.side_px),
                EventFiles(folder, spec.loss_names),
            ),
        )
        try:
            loop.run()
        finally:
            _report(context, spec, loop)


def _open(context: StageContext, side: Side) -> Faceset:
    """The side's faceset, with a warning for pictures that are no faces."""
    faceset = open_faceset(side.aligned, context.check_stop)
    if faceset.skipped:
        name, reason = faceset.skipped[0]
        context.warn(
            f"{len(faceset.skipped)} pictures in {side.aligned} are no usable faces,"
            f" for example {name}: {reason}",
            "extract them again or take them out of the folder",
        )
    if not len(faceset):
        raise InputError(
            f"no usable faces in {side.aligned}",
            f"run faces-extract --side {side.name} first",
            code="no-faces",
        )
    context.note(f"{side.name}: {len(faceset)} faces")
    return faceset


def _warn_of_narrow_faces(context: StageContext, faceset: Faceset, wanted: FaceType) -> None:
    """Faces that show less than the model learns: their edges are smeared to fill its square."""
    narrow = [face for face in faceset if not face.data.face_type.contains(wanted)]
    if narrow:
        context.warn(
            f"{len(narrow)} of {len(faceset)} faces in {faceset.folder} show less than the model's"
            f" {wanted.dfl_name}, for example {narrow[0].name}"
            f" ({narrow[0].data.face_type.dfl_name})",
            f"extract them again with --face-type {wanted.short} or wider",
        )


def _make_model(
    context: StageContext, spec: ModelSpec, device: Device, saved: Generation | None
) -> Any:
    """The model, going on from its newest good save if there is one."""
    options = {option.name: context.options[option.name] for option in spec.options}
    seed = context.options["seed"] or secrets.randbelow(2**31 - 1) + 1
    if saved:
        seed = saved.manifest.seed
        for option in spec.options:
            if option.life is Life.CREATION:
                options[option.name] = saved.manifest.options[option.name]
        for path in Generations(saved.path.parent.parent).put_aside_after(saved.manifest.iteration):
            context.warn(f"a damaged save was put aside: {path}", "delete it when you like")
    dtype = device.keras_dtype(context.options["precision"])
    begins = f"goes on from iteration {saved.manifest.iteration}" if saved else "is new"
    context.note(f"the model {begins}; {device.description}, {dtype}")
    return model_code(spec)(options, seed=seed, dtype=dtype, saved=saved)


def _sources(
    context: StageContext, src: Faceset, dst: Faceset, seed: int, device: Device
) -> Sources:
    cv2.setNumThreads(1)  # the sample threads are the parallelism; OpenCV's own would fight them
    return Sources(
        src,
        dst,
        seed=seed,
        limit_bytes=min(int(psutil.virtual_memory().available * CACHE_SHARE), LARGEST_CACHE_BYTES),
        warn=context.warn,
        threads=_loader_count(context.options["loaders"], device),
    )


def _loader_count(loaders: str, device: Device) -> int:
    """Without a GPU the step itself wants the cores, and takes long."""
    if loaders != "auto":
        return int(loaders)
    cores = len(os.sched_getaffinity(0))
    wanted = cores - 1 if device.is_gpu else cores // 2
    return max(1, min(wanted, MOST_AUTO_LOADERS))


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
    wanted = 2 * batches.batch_size * loop.times.per_s
    deliverable = batches.rates.deliverable_per_s(batches.threads)
    context.result(
        iteration=loop.model.iteration,
        iterations_made=loop.times.made,
        iterations_per_s=round(loop.times.per_s, 3),
        samples_wanted_per_s=round(wanted, 1),
        samples_deliverable_per_s=round(deliverable, 1),
        waited_for_samples_s=round(batches.rates.waited_s, 2),
        steps_skipped=loop.steps_skipped,
        saved_iteration=loop.saving.saver.last_iteration,
        **losses,
    )
    for side in (batches.src, batches.dst):
        if side.unusable:
            context.note(f"{side.side}: {len(side.unusable)} faces could not be used")
