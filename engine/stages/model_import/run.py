"""The stage `model-import`: a model of DeepFaceLab becomes one of ours.

Everything is read and checked first; the new model's folder is written beside and put in place in
one step, so that it is there whole or not at all. DeepFaceLab's files are only read.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.models.classes import model_spec
from engine.models.dfl_files.classes import dfl_class_of
from engine.models.dfl_files.option_values import values_from_dfl
from engine.models.dfl_files.origin import Origin, write_origin
from engine.models.dfl_files.reading import (
    DflData,
    DflModel,
    find_model,
    finite_in_float32,
    models_in,
    read_data,
)
from engine.models.dfl_files.state import blank_state, read_state
from engine.nets.device import prepare_device
from engine.protocol.errors import ConfirmationNeeded, UsageError
from engine.protocol.files import disk_error
from engine.protocol.history import LossPoint, Mark
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.train.generations import Generations, Manifest, State
from engine.train.history import HistoryWriter
from engine.train.save_folders import part_beside, put_in_place, sweep_saves

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class _Incoming:
    """A model that was read whole and fits together."""

    spec: ModelSpec
    source: DflModel
    data: DflData
    manifest: Manifest
    state: State


def import_model(context: StageContext) -> None:
    """Make a model of our own out of a model of DeepFaceLab.

    Raises `ConfirmationNeeded` when a model of that name is there and the user did not agree to
    move it to the trash, `InputError` for files that are missing, damaged or do not fit together;
    nothing is changed then.
    """
    spec = model_spec(context.options["model_class"])
    source = _source(context, spec)
    target = context.workspace.model(context.options["model"], spec.id)
    _require_confirmation(context, target)
    incoming = _read(context, spec, source)
    context.check_stop()
    sweep_saves(make_folder(context.workspace.models))
    beside = part_beside(target)
    try:
        _write_model(context, beside, incoming)
        _put_in_place(context, beside, target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    iteration = incoming.data.iteration
    context.saved(iteration, Generations(target).folder / f"{iteration:08d}")
    context.result(model=context.options["model"], iteration=iteration, folder=str(target))


def _source(context: StageContext, spec: ModelSpec) -> DflModel:
    given = context.options["from"]
    folder = Path(given) if given else context.workspace.models
    dfl_class = dfl_class_of(spec)
    name, own_name = context.options["dfl_name"], context.options["model"]
    if not name and own_name in {m.name for m in models_in(folder) if m.dfl_class == dfl_class}:
        name = own_name
    return find_model(folder, name, dfl_class)


def _require_confirmation(context: StageContext, target: Path) -> None:
    if target.exists() and not context.confirmed:
        raise ConfirmationNeeded(
            f"there is a model {target.name} in {target.parent} already",
            "give another name (--model), or confirm (--yes) to move that model to the workspace's"
            " trash",
        )


def _read(context: StageContext, spec: ModelSpec, source: DflModel) -> _Incoming:
    context.note(f"reading {source.data_path}")
    data = read_data(source.data_path)
    manifest = _manifest(context, spec, data)
    return _Incoming(spec, source, data, manifest, _state(context, spec, source, manifest))


def _manifest(context: StageContext, spec: ModelSpec, data: DflData) -> Manifest:
    if data.odd_options:
        names = ", ".join(data.odd_options)[:200]
        context.warn(f"these options have no single value and are left out: {names}")
    taken = values_from_dfl(spec, data.options)
    for remark in taken.remarks:
        context.warn(remark)
    _warn_of_what_training_refuses(context, spec, taken.values)
    return Manifest(
        model_class=spec.id,
        iteration=data.iteration,
        seed=secrets.randbelow(2**31 - 1) + 1,
        drawn=0,
        options=taken.values,
    )


def _warn_of_what_training_refuses(
    context: StageContext, spec: ModelSpec, values: Mapping[str, Any]
) -> None:
    """A model in pretraining lacks its folder of faces, for example: the weights are good all the
    same."""
    try:
        if spec.check:
            spec.check(values)
    except UsageError as error:
        context.warn(f"training will not start as it is: {error.message}", error.remedy)


def _state(context: StageContext, spec: ModelSpec, source: DflModel, manifest: Manifest) -> State:
    prepare_device("cpu", context.warn)
    files = {net.file for net in source.dfl_class.nets if source.path(net.file).is_file()}
    options = manifest.options
    blank = blank_state(spec, source.dfl_class, options, files, seed=manifest.seed)
    context.check_stop()
    found = read_state(source, blank, options, fresh_nets=context.options["fresh_nets"])
    for remark in found.remarks:
        context.warn(remark)
    return found.state


def _write_model(context: StageContext, folder: Path, incoming: _Incoming) -> None:
    """The model's whole folder."""
    make_folder(folder)
    data, name = incoming.data, incoming.source.name
    write_origin(folder, Origin(name=name, iteration=data.iteration, options=data.options))
    loss_names = incoming.spec.loss_names
    with HistoryWriter(folder, data.iteration, loss_names) as history:
        _write_losses(context, history, data, len(loss_names))
        came_from = f"imported from DeepFaceLab's model {name}"
        history.mark(Mark(data.iteration, time.time(), "import", came_from))
        history.commit()
        smoothed_loss = history.smoothed_loss
    manifest = msgspec.structs.replace(incoming.manifest, smoothed_loss=smoothed_loss)
    Generations(folder).write(manifest, incoming.state)


def _write_losses(
    context: StageContext, history: HistoryWriter, data: DflData, loss_count: int
) -> None:
    """DeepFaceLab does not say when an iteration was made, nor how long it took: both stay 0."""
    points = list(_points(data, loss_count))
    if len(points) < len(data.losses):
        context.warn(f"{len(data.losses) - len(points)} rows of losses are no numbers: left out")
    for first in range(0, len(points), _ROWS_AT_ONCE):
        context.check_stop()
        for point in points[first : first + _ROWS_AT_ONCE]:
            history.add(point)
        history.commit()


def _points(data: DflData, loss_count: int) -> Iterator[LossPoint]:
    """The rows that fit our history; the last one is that of the model's iteration."""
    first = data.iteration - len(data.losses) + 1
    for iteration, losses in enumerate(data.losses, start=first):
        if iteration > 0 and len(losses) == loss_count and finite_in_float32(losses):
            yield LossPoint(iteration, 0.0, 0.0, losses)


def _put_in_place(context: StageContext, beside: Path, target: Path) -> None:
    trash = context.workspace.move_to_trash([target], f"model-import-{target.name}")
    if trash:
        context.note(f"the model that was called so before is in {trash}")
    try:
        put_in_place(beside, target)
    except OSError as error:
        raise disk_error(error, target) from error
