"""DeepFaceLab's files of net weights: where the user keeps them, and reading them safely.

The files (`FaceEnhancer.npy`, `S3FD.npy`, `2DFAN.npy` ...) are pickles of `{tensor name: array}`,
not numpy's format. They are not shipped: users bring their own. Lies beside the face file's reader,
whose decoder it shares; detectors and nets both read such files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import InputError
from engine.protocol.user_folders import data_folder

LARGEST_BYTES = 1 << 30  # the largest of these nets takes 133 MB
# Published files hold half precision to stay small; i8 is the iteration count of optimizer files.
_DTYPES = frozenset({"f2", "f4", "f8", "i8"})


def weights_folder() -> Path:
    """`$XDG_DATA_HOME/facewright/weights`: where weights for all workspaces belong."""
    return data_folder() / "weights"


def find_weights(name: str, given: str, more_folders: Sequence[Path] = ()) -> Path:
    """The weight file `name` (such as `FaceEnhancer.npy`).

    given: a file or a folder that holds `name`; "" to look in `weights_folder()`, then in
    `more_folders`. Raises `InputError` saying where to put it if it is not there.
    """
    folders = (weights_folder(), *more_folders)
    places = [Path(given), Path(given) / name] if given else [folder / name for folder in folders]
    for place in places:
        if place.is_file():
            return place
    if given:
        raise InputError(
            f"the weights {name} are not in {given}",
            f"give the path of {name}, of a DeepFaceLab installation (in its facelib folder), or of"
            " the folder it is in",
            code="no-weights",
        )
    looked = " nor in ".join(str(folder) for folder in folders)
    raise InputError(
        f"the weights {name} are not in {looked}",
        f"copy {name} of a DeepFaceLab installation (in its facelib folder) to {folders[0]}",
        code="no-weights",
    )


def read_dfl_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors in a weight file by name, such as `conv1/weight:0`, as float32.

    Raises `InputError` for a file that cannot be read, is larger than `LARGEST_BYTES`, or is
    anything but a dict of plain arrays.
    """
    content = _read_bounded(path)
    try:
        tensors = decode_pickle(content, _DTYPES)
    except InputError as error:
        what = f"{path} holds no net weights, or is damaged"
        raise InputError(what, _REMEDY, code=error.code) from error
    if not isinstance(tensors, dict) or not all(
        isinstance(tensor, np.ndarray) for tensor in tensors.values()
    ):
        raise InputError(f"{path} holds no net weights", _REMEDY, code="bad-weights")
    return {name: np.asarray(tensor, np.float32) for name, tensor in tensors.items()}


_REMEDY = "use the file as DeepFaceLab ships it"


def _read_bounded(path: Path) -> bytes:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > LARGEST_BYTES:
            raise InputError(f"{path}: {size_bytes} bytes are more than any net has", _REMEDY)
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot read {path}: {reason}", _REMEDY) from error
