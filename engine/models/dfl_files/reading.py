"""Reads DeepFaceLab's model files: `data.dat` and the files of tensors, all of them pickles.

Nothing in them is run (`engine.faces.restricted_pickle`), sizes are bounded, and a file that is not
what it should be is refused by its name and that of the tensor: DeepFaceLab itself starts such a
net afresh and overwrites it with the next save.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.faces.restricted_pickle import decode_pickle
from engine.models.dfl_files.classes import DFL_CLASSES, DflClass
from engine.protocol.errors import InputError
from engine.train.tensor_files import Tensors

DATA_SUFFIX = "data.dat"
# A batch of 64 faces of 640 px kept for previews, and the losses of ten million iterations.
LARGEST_DATA_BYTES = 1 << 31
# Some ten times the optimizer's file of the largest models that people share.
LARGEST_TENSORS_BYTES = 1 << 34
MOST_ITERATIONS = 1_000_000_000
_LONGEST_TEXT = 200
_DTYPES = frozenset({"b1", "u1", "i4", "i8", "f2", "f4", "f8"})
_MOST_LOSSES = 8
_REMEDY = "copy the model again, or import one of its autobackups"
_REMEDIES = {
    "unsafe-data": "it holds more than plain numbers and may be hostile: do not use it",
    "broken-data": _REMEDY,
}
_OTHER_SETTINGS = (
    "the file belongs to a model with other settings: put it and the data.dat of one and the same"
    " model there"
)

Scalar = bool | int | float | str


@dataclass(frozen=True)
class DflData:
    """What `data.dat` says.

    losses: one row an iteration, the last one being `iteration`. odd_options: the names of those
    that have no single value, as all of DeepFaceLab's own have; they are not in `options`.
    """

    iteration: int
    options: dict[str, Scalar]
    losses: list[tuple[float, ...]]
    odd_options: tuple[str, ...]


@dataclass(frozen=True)
class DflModel:
    """A model in DeepFaceLab's layout: where its files lie and what they are called."""

    folder: Path
    name: str
    dfl_class: DflClass

    @property
    def prefix(self) -> str:
        """What the names of its files begin with."""
        return self.dfl_class.prefix(self.name)

    @property
    def title(self) -> str:
        """What DeepFaceLab calls it."""
        return self.prefix.rstrip("_")

    @property
    def data_path(self) -> Path:
        return self.folder / f"{self.prefix}{DATA_SUFFIX}"

    def path(self, file: str) -> Path:
        """Where the tensors of a net or optimizer lie."""
        return self.folder / self.dfl_class.tensors_name(self.name, file)


def models_in(folder: Path) -> list[DflModel]:
    """The models of known classes in a folder, by name. Raises `InputError` if it cannot be read.

    A name may hold `_`, which DeepFaceLab never writes but users make by renaming files.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise _unreadable(folder, error) from error
    return [
        DflModel(folder, model_name, dfl_class)
        for name in names
        for dfl_class in DFL_CLASSES
        if (model_name := _model_name(name, dfl_class))
    ]


def _model_name(data_name: str, dfl_class: DflClass) -> str:
    """The model whose `data.dat` is called so; "" if it is none of the class. The only model of a
    class without names is called like the class."""
    if not dfl_class.is_named:
        return dfl_class.name if data_name == f"{dfl_class.prefix('')}{DATA_SUFFIX}" else ""
    ending = f"_{dfl_class.name}_{DATA_SUFFIX}"
    return data_name.removesuffix(ending) if data_name.endswith(ending) else ""


def find_model(folder: Path, name: str, dfl_class: DflClass) -> DflModel:
    """The model of that name. Raises `InputError` with the models that there are if it is absent.

    name: "" for the only one of its class.
    """
    found = models_in(folder)
    matching = [
        model
        for model in found
        if model.dfl_class == dfl_class
        and (model.name == name or not name or not dfl_class.is_named)
    ]
    if len(matching) == 1:
        return matching[0]
    known = ", ".join(f"{model.name} ({model.dfl_class.name})" for model in found)
    wanted_file = f"{dfl_class.prefix(name or 'NAME')}{DATA_SUFFIX}"
    what = f"{name} ({dfl_class.name})" if name else f"of class {dfl_class.name}"
    trouble = "are several models" if matching else "is no DeepFaceLab model"
    raise InputError(
        f"there {trouble} {what} in {folder}",
        f"name one of these: {known}" if known else f"name the folder that holds {wanted_file}",
        code="no-model",
    )


def read_data(path: Path) -> DflData:
    """What `data.dat` says. Raises `InputError` for a file that is damaged or hostile.

    Unlike DeepFaceLab, keeps the options of a model that has made no iteration yet.
    """
    data = _read_pickle(path, LARGEST_DATA_BYTES)
    if not isinstance(data, dict) or not isinstance(data.get("options"), dict):
        raise InputError(f"{path} is not the data of a DeepFaceLab model", _REMEDY)
    iteration = data.get("iter")
    if type(iteration) is not int or not 0 <= iteration <= MOST_ITERATIONS:
        raise InputError(f"{path} says iteration {str(iteration)[:40]}", _REMEDY)
    rows = data.get("loss_history", []) if iteration else []
    options = {name: value for name, value in data["options"].items() if _is_scalar(value)}
    odd = tuple(name for name in data["options"] if name not in options)
    return DflData(iteration, options, _losses(path, rows), odd)


def read_net(path: Path, wanted: Tensors) -> dict[str, NDArray[Any]]:
    """The tensors of a net, float32, in the order of `wanted`, which has their names and shapes.

    Raises `InputError` naming the tensor that is missing, has another shape, or holds values that
    are no numbers.
    """
    found = _read_tensors(path)
    for name in wanted:
        if name not in found:
            raise InputError(f"{path} has no tensor {name}", _OTHER_SETTINGS, code="bad-weights")
    return {name: _checked(path, name, found[name], like) for name, like in wanted.items()}


def read_optimizer(path: Path, wanted: Tensors) -> tuple[dict[str, NDArray[Any]], int]:
    """The state of an optimizer, and how many of its tensors were in the file.

    Those that were not are as in `wanted`, zeros: DeepFaceLab keeps the file's name when one of the
    two optimizers takes the other's place. Raises `InputError` as `read_net` does.
    """
    found = _read_tensors(path)
    state = {
        name: _checked(path, name, found[name], like) if name in found else like
        for name, like in wanted.items()
    }
    return state, len(found.keys() & wanted.keys())


def _read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    pickled = _read_pickle(path, LARGEST_TENSORS_BYTES)
    if not isinstance(pickled, dict):
        raise InputError(f"{path} holds no tensors", _REMEDY, code="bad-weights")
    tensors = {name: np.asarray(value) for name, value in pickled.items() if _is_numeric(value)}
    if len(tensors) < len(pickled):
        other = next(name for name in pickled if name not in tensors)
        raise InputError(f"{path}: {other[:80]} is no tensor", _REMEDY, code="bad-weights")
    return tensors


def _is_numeric(value: object) -> bool:
    """Arrays and, for the step count of optimizers, whole numbers."""
    return isinstance(value, np.ndarray) or type(value) is int


def _checked(path: Path, name: str, found: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """`found` in the type of `like`, if it has its shape."""
    if found.shape != like.shape:
        raise InputError(
            f"{path}: {name} has shape {found.shape}, not {like.shape}",
            _OTHER_SETTINGS,
            code="bad-weights",
        )
    with np.errstate(over="ignore"):
        plain = np.ascontiguousarray(found, like.dtype).reshape(like.shape)
    if not np.isfinite(plain).all():
        raise InputError(
            f"{path}: {name} holds values that are no numbers: the model has collapsed",
            "import one of its autobackups (the option --from with NAME_CLASS_autobackups/01)",
            code="collapsed",
        )
    return plain


def _read_pickle(path: Path, largest_bytes: int) -> Any:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > largest_bytes:
            raise InputError(f"{path} has {size_bytes} bytes, more than any such file", _REMEDY)
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return decode_pickle(data, _DTYPES)
    except InputError as error:
        remedy = _REMEDIES.get(error.code, error.remedy)
        reason = error.message.removeprefix("the metadata ")  # the decoder's words are for faces
        raise InputError(f"{path} {reason}", remedy, code=error.code) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(f"cannot read {path}: {reason}", "check the path", code="unreadable")


def _is_scalar(value: Any) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is str:
        return len(value) <= _LONGEST_TEXT and value.isprintable()
    return type(value) in (bool, int)


def _losses(path: Path, rows: Any) -> list[tuple[float, ...]]:
    if not isinstance(rows, list) or not all(_is_loss_row(row) for row in rows):
        raise InputError(f"{path}: its history is not rows of losses", _REMEDY)
    return [tuple(map(float, row)) for row in rows]


def _is_loss_row(row: Any) -> bool:
    return (
        isinstance(row, list | tuple)
        and len(row) <= _MOST_LOSSES
        and all(type(loss) in (int, float) for loss in row)
    )


def finite_in_float32(losses: tuple[float, ...]) -> bool:
    """Whether our history, which is float32, can hold the row as numbers."""
    largest = float(np.finfo(np.float32).max)
    return all(math.isfinite(loss) and abs(loss) <= largest for loss in losses)
