"""Files of weights: those inside installed packages, and the names of those that users bring.

Packages are found through their metadata, never by importing them: face_recognition_models needs
the vanished pkg_resources, and mtcnn imports TensorFlow.
"""

from __future__ import annotations

import pickletools
from importlib.metadata import PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.protocol.errors import InputError

# DeepFaceLab's files (read by `engine.faces.dfl_weights`) by what they are here.
USER_FILES = {"s3fd": "S3FD.npy", "2dfan": "2DFAN.npy", "3dfan": "3DFAN.npy"}

# The three nets hold 0.5 million float32 together; anything larger is not MTCNN.
MAX_UNPACKED_BYTES = 8 << 20


def packaged_file(package: str, inside: str) -> Path:
    """The path of the file `inside` an installed `package`. Raises `InputError` if either lacks."""
    remedy = f"install it again: pip install --force-reinstall {package}"
    try:
        path = Path(str(distribution(package).locate_file(inside)))
    except PackageNotFoundError:
        raise InputError(f"the package {package} is not installed", remedy) from None
    if not path.is_file():
        raise InputError(f"{path} is missing from the package {package}", remedy)
    return path


def read_lz4_joblib_arrays(path: Path) -> list[NDArray[np.float32]]:
    """The float32 arrays of a list that joblib wrote with lz4, in order, without unpickling.

    joblib's format is a pickle in which each array's bytes follow the BUILD of a small description.
    The opcodes are only read as text (`pickletools`), so nothing in the file can run. Raises
    `InputError` for anything but a list of C-ordered float32 arrays.
    """
    import lz4.frame

    unpack = lz4.frame.LZ4FrameDecompressor().decompress
    try:
        return _arrays_of_joblib_list(unpack(path.read_bytes(), MAX_UNPACKED_BYTES))
    except (ValueError, IndexError, RuntimeError) as error:  # lz4 raises RuntimeError
        remedy = "install the package it belongs to again"
        raise InputError(f"{path} is not a list of float32 arrays: {error}", remedy) from error


def _arrays_of_joblib_list(data: bytes) -> list[NDArray[np.float32]]:
    file = BytesIO(data)
    arrays: list[NDArray[np.float32]] = []
    memo: list[object] = []
    literals: list[object] = []
    newest: object = None
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == "MEMOIZE":
            memo.append(newest)
            continue
        newest = memo[int(argument or 0)] if opcode.name == "BINGET" else argument
        if newest is not None:
            literals.append(newest)
        # The last key of a description; a dtype's own BUILD comes before it.
        if opcode.name == "BUILD" and "numpy_array_alignment_bytes" in literals:
            arrays.append(_array_at(file, _shape_in(literals)))
            literals = []
    return arrays


def _shape_in(literals: list[object]) -> tuple[int, ...]:
    """The sizes between the keys "shape" and "order"; refuses other orders and types."""
    start, end = literals.index("shape") + 1, literals.index("order")
    sizes = [size for size in literals[start:end] if isinstance(size, int)]
    if literals[end + 1] != "C" or any(kind in literals for kind in ("f8", "i8", "O8")):
        raise ValueError("an array is not C-ordered float32")
    return tuple(sizes)


def _array_at(file: BytesIO, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The array at the file's position: a byte that counts padding, padding, the numbers."""
    file.seek(file.read(1)[0], 1)
    count = int(np.prod(shape))
    numbers = np.frombuffer(file.read(4 * count), dtype="<f4")
    if numbers.size != count:
        raise ValueError("it ends in the middle of an array")
    return numbers.reshape(shape)
