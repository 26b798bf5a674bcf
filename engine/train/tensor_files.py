"""Tensors in safetensors files: written without a copy of them all, read only if they are what was
written. Nothing in such a file can execute.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from engine.protocol.errors import InputError

Tensors = Mapping[str, NDArray[Any]]

DAMAGED = "an earlier save is used if there is one"
_LARGEST_FILE_BYTES = 1 << 36
# The format's names of NumPy's types; https://huggingface.co/docs/safetensors
_DTYPES = {
    "<f8": "F64",
    "<f4": "F32",
    "<f2": "F16",
    "<i8": "I64",
    "<i4": "I32",
    "<i2": "I16",
    "|i1": "I8",
    "<u8": "U64",
    "<u4": "U32",
    "<u2": "U16",
    "|u1": "U8",
    "|b1": "BOOL",
}


class FileFacts(msgspec.Struct, frozen=True):
    """What a file of a save must be."""

    size_bytes: int
    sha256: str


def write_tensors(path: Path, tensors: Tensors) -> FileFacts:
    """Write a new file and force it to the disk. Returns its size and hash. Raises `OSError`."""
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("wb") as file:
        for part in _parts(tensors):
            file.write(part)
            digest.update(part)
            size_bytes += len(part)
        file.flush()
        os.fsync(file.fileno())
    return FileFacts(size_bytes, digest.hexdigest())


def read_tensors(path: Path, facts: FileFacts) -> Tensors:
    """The file's tensors by name. Raises `InputError` if it is not what was written, `OSError` if
    it cannot be read."""
    check_file(path, facts)
    try:
        tensors: Tensors = safetensors.numpy.load_file(path)
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: {error}", DAMAGED) from error
    return tensors


def check_file(path: Path, facts: FileFacts) -> None:
    """Raise `InputError` if the file is not what was written, `OSError` if it cannot be read."""
    with path.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes != facts.size_bytes or size_bytes > _LARGEST_FILE_BYTES:
            raise InputError(f"{path} has {size_bytes} bytes, not {facts.size_bytes}", DAMAGED)
        if hashlib.file_digest(file, "sha256").hexdigest() != facts.sha256:
            raise InputError(f"{path} is not what was written (its hash differs)", DAMAGED)


def _parts(tensors: Tensors) -> Iterator[bytes | memoryview]:
    """The file's bytes: the header's length, the header, each tensor; widest types first, so that
    each begins where its type may. safetensors' own writer holds them all a second time."""
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    names = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    header, end = {}, 0
    for name in names:
        begin, end = end, end + arrays[name].nbytes
        header[name] = {
            "dtype": _DTYPES[arrays[name].dtype.str],
            "shape": arrays[name].shape,
            "data_offsets": (begin, end),
        }
    encoded = msgspec.json.encode(header)
    encoded += b" " * (-len(encoded) % 8)
    yield len(encoded).to_bytes(8, "little")
    yield encoded
    for name in names:
        yield arrays[name].reshape(-1).view(np.uint8).data
