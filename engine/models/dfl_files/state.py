"""A model's saved state in DeepFaceLab's files, and back."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.models.classes import model_code
from engine.models.dfl_files.classes import DflClass, DflNet
from engine.models.dfl_files.reading import DflModel, read_net, read_optimizer
from engine.models.dfl_files.writing import write_tensors
from engine.protocol.errors import InputError
from engine.protocol.spec import ModelSpec
from engine.train.generations import State
from engine.train.tensor_files import Tensors

_TINY_POWER = 0.1


@dataclass
class Found:
    """A state read from files, and what has to be said about it."""

    state: dict[str, Tensors] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def blank_state(
    spec: ModelSpec,
    dfl_class: DflClass,
    options: Mapping[str, Any],
    files: Collection[str],
    *,
    seed: int,
) -> State:
    """The state of a new model with these options: every tensor's name, place and shape.

    files: those that there are. Nets among them that the options give no work get their place, too,
    and their tensors are zeros that take no memory. Raises `InputError` for options that make no
    model.
    """
    at_work = {
        net.trains_with: options[net.trains_with] or _TINY_POWER
        for net in dfl_class.nets
        if net.trains_with and net.file in files
    }
    if at_work and "pretrain" in options:
        at_work["pretrain"] = False  # they rest meanwhile
    try:
        model = model_code(spec)({**options, **at_work}, seed=seed, dtype="float32")
    except ValueError as error:
        raise InputError(
            f"these settings make no model: {error}",
            "put the data.dat that belongs to the model there",
            code="option-value",
        ) from error
    state: State = model.state()
    del model
    gc.collect()  # compiled functions hold their model in circles; it may take gigabytes
    new_nets = {net.file for net in dfl_class.nets} - set(files)
    return {file: state[file] if file in new_nets else _zeros(state[file]) for file in state}


def _zeros(tensors: Tensors) -> Tensors:
    return {
        name: np.broadcast_to(np.zeros((), tensor.dtype), tensor.shape)
        for name, tensor in tensors.items()
    }


def read_state(
    source: DflModel, blank: State, options: Mapping[str, Any], *, fresh_nets: bool
) -> Found:
    """All nets and optimizers of a model. blank: what they look like, see `blank_state`.

    fresh_nets: nets without a file start anew as they are in `blank`. Raises `InputError` for a net
    without one otherwise, and for files that are damaged or of another model.
    """
    found = Found()
    nets = [net for net in source.dfl_class.nets if net.file in blank]
    fresh = [net for net in nets if not source.path(net.file).is_file()]
    found.remarks += [
        f"{source.path(net.file)} is left out: the model's options have no use for it"
        for net in source.dfl_class.nets
        if net.file not in blank and source.path(net.file).is_file()
    ]
    if fresh and not fresh_nets:
        raise InputError(
            f"{source.path(fresh[0].file)} is missing",
            "copy it there, or let the net start anew (the option --fresh-nets)",
            code="missing-net",
        )
    for net in nets:
        if net in fresh:
            found.remarks.append(f"{net.file} starts anew: {source.path(net.file)} is missing")
            found.state[net.file] = blank[net.file]
        else:
            _read_into(found, source, net, blank[net.file], options)
    for file in _optimizers(nets):
        if file in blank:
            _read_optimizer_into(found, source, file, blank[file], fresh)
    return found


def _read_into(
    found: Found, source: DflModel, net: DflNet, blank: Tensors, options: Mapping[str, Any]
) -> None:
    try:
        found.state[net.file] = read_net(source.path(net.file), blank)
    except InputError as error:
        if not net.trains_with or options[net.trains_with]:
            raise
        found.remarks.append(f"left out, and not in use: {error.message}")


def _read_optimizer_into(
    found: Found, source: DflModel, file: str, blank: Tensors, fresh: list[DflNet]
) -> None:
    """The optimizer of nets that were read; what it knew of nets that start anew is forgotten."""
    nets = [net for net in source.dfl_class.nets if net.optimizer == file]
    if not any(net.file in found.state for net in nets):
        return
    path = source.path(file)
    if not path.is_file():
        found.remarks.append(f"the optimizer starts anew: {path} is missing")
        found.state[file] = blank
        return
    state, count = read_optimizer(path, {_by_root(nets, name): blank[name] for name in blank})
    known = [name for name in blank if _net_of(name) not in _resting(nets)]
    if count < len(known):
        found.remarks.append(
            f"{path} has {count} of {len(known)} tensors (as after a change of the optimizer):"
            " the others start at zero"
        )
    forgotten = {net.file for net in nets if net in fresh}
    found.state[file] = {
        name: blank[name] if _net_of(name) in forgotten else state[_by_root(nets, name)]
        for name in blank
    }


def write_state(target: DflModel, state: State, blank: State) -> None:
    """Write the files of all nets and optimizers of `state`, tensors in the order of `blank`.

    What an optimizer of another class left is not written: DeepFaceLab begins at zero then, too.
    Neither are zeros for nets that DeepFaceLab never moves. Raises `InputError` for a net that
    `state` lacks, `OSError` if a file cannot be written.
    """
    nets = [net for net in target.dfl_class.nets if net.file in blank]
    for net in nets:
        tensors = state.get(net.better) or state.get(net.file, {})
        if not tensors and net.trains_with:
            continue
        missing = [name for name in blank[net.file] if name not in tensors]
        if missing:
            raise InputError(f"the save has no {missing[0]} of {net.file}", "choose another save")
        ordered = {name: tensors[name] for name in blank[net.file]}
        write_tensors(target.path(net.file), ordered)
    resting = _resting(nets)
    for file in _optimizers(nets):
        tensors = state.get(file, {})
        renamed = {
            _by_root(nets, name): tensors[name]
            for name in blank[file]
            if name in tensors and (_net_of(name) not in resting or tensors[name].any())
        }
        write_tensors(target.path(file), renamed)


def _optimizers(nets: Iterable[DflNet]) -> list[str]:
    return list(dict.fromkeys(net.optimizer for net in nets))


def _resting(nets: Iterable[DflNet]) -> set[str]:
    return {net.file for net in nets if net.rests}


def _by_root(nets: Iterable[DflNet], name: str) -> str:
    """`acc_GAN/in_conv/bias_0:0` as `acc_D_src/in_conv/bias_0:0`: we file weights under their net's
    name, DeepFaceLab under its root."""
    slot, _, rest = name.partition("_")
    for net in nets:
        if rest.startswith(f"{net.file}/"):
            return f"{slot}_{net.root}{rest.removeprefix(net.file)}"
    return name


def _net_of(name: str) -> str:
    """The net that a tensor of an optimizer is about."""
    return name.partition("_")[2].partition("/")[0]
