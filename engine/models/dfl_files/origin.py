"""What a model that came from DeepFaceLab had there, kept for the way back."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.models.dfl_files.reading import Scalar
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically

ORIGIN_NAME = "dfl_origin.json"
_LARGEST_BYTES = 1 << 20


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """options: all that were in `data.dat`, those that we know nothing of among them."""

    name: str
    iteration: int
    options: dict[str, Scalar]


def write_origin(model_folder: Path, origin: Origin) -> None:
    """Keep it with the model. Raises `InputError` if the disk is full."""
    write_atomically(model_folder / ORIGIN_NAME, msgspec.json.encode(origin))


def read_origin(model_folder: Path) -> Origin | None:
    """None for a model that was made here. Raises `InputError` for a damaged file."""
    path = model_folder / ORIGIN_NAME
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path} is too long for what it is", "move it away")
        return msgspec.json.decode(path.read_bytes(), type=Origin)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"cannot read {path}: {error}", "move it away") from error
