"""Writes DeepFaceLab's model files: pickles of protocol 4 with the names of numpy 1, which every
version of DeepFaceLab reads, and the summary for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from engine.faces.dfl_pickle import dfl_pickle, pushed_array, pushed_scalar
from engine.faces.pickle_opcodes import EMPTY_DICT, MARK, PROTOCOL, SETITEMS, STOP, pushed_text


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write the file of a net or optimizer, in the order of `tensors`. Raises `OSError`."""
    with path.open("wb") as file:
        file.write(PROTOCOL + EMPTY_DICT + MARK)
        for name, tensor in tensors.items():
            file.write(pushed_text(name))
            if tensor.ndim:
                file.writelines(pushed_array(tensor))
            else:
                file.write(pushed_scalar(tensor))
        file.write(SETITEMS + STOP)


def dfl_data(
    iteration: int, options: Mapping[str, Any], losses: Iterable[Sequence[float]]
) -> bytes:
    """The content of `data.dat`. DeepFaceLab draws samples for its previews anew."""
    return dfl_pickle(
        {
            "iter": iteration,
            "options": dict(options),
            "loss_history": [list(map(float, row)) for row in losses],
            "sample_for_preview": None,
            "choosed_gpu_indexes": None,
        }
    )


def summary_text(model: str, iteration: int, options: Mapping[str, Any]) -> str:
    """The box of `summary.txt`. model: as in file names, `NAME_CLASS`."""
    head = {"Model name": model, "Current iteration": iteration}
    rows = {name: str(value) for name, value in {**head, **options}.items()}
    name_width = max(map(len, rows))
    value_width = max(map(len, rows.values()))
    inner_width = name_width + value_width + 4

    def row(name: str) -> str:
        return f"== {name:>{name_width}}: {rows[name]:<{value_width}} =="

    empty = "==" + " " * inner_width + "=="
    lines = [
        " Model Summary ".center(inner_width + 4, "="),
        empty,
        row("Model name"),
        empty,
        row("Current iteration"),
        empty,
        "==" + " Model Options ".center(inner_width, "-") + "==",
        empty,
        *(row(name) for name in options),
        empty,
        "=" * (inner_width + 4),
    ]
    return "\n".join(lines)
