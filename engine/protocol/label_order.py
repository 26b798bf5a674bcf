"""Which faces to label next: what `xseg-order` finds out, and the mask editor jumps to.

`.facewright/labels/SIDE.order.json`, best first. The file may be deleted; the stage makes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.workspace import Workspace, make_folder

VERSION = 1
MOST_FACES = 1000
LARGEST_BYTES = 1 << 20  # a face takes some 120 bytes
_KIND = "facewright label order"
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class SuggestedFace(msgspec.Struct, frozen=True):
    """A face file by its name. score: how much a label is worth. unsure: how undecided the net is,
    differs: how far its mask is from the landmarks' outline. All 0..1."""

    name: _Name
    score: _Share
    unsure: _Share
    differs: _Share


class LabelOrder(msgspec.Struct, frozen=True):
    """faces: best first. model: where the net came from, for people."""

    model: str
    faces: Annotated[tuple[SuggestedFace, ...], msgspec.Meta(max_length=MOST_FACES)]
    kind: str = _KIND
    version: int = VERSION

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(face.name for face in self.faces)


def order_path(workspace: Workspace, side_name: str) -> Path:
    """Where the order of a side's faces lies."""
    return workspace.state / "labels" / f"{side_name}.order.json"


def read_label_order(workspace: Workspace, side_name: str) -> LabelOrder | None:
    """The order of a side's faces; None if there is none. Names of faces that are gone may be in
    it. Raises `InputError` for a file that cannot be used."""
    path = order_path(workspace, side_name)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if len(data) > LARGEST_BYTES:
        raise _unusable(path, f"it is larger than {LARGEST_BYTES} bytes")
    try:
        order = msgspec.json.decode(data, type=LabelOrder)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unusable(path, str(error)) from error
    if (order.kind, order.version) != (_KIND, VERSION):
        raise _unusable(path, f"it is {order.kind!r}, version {order.version}")
    return order


def write_label_order(workspace: Workspace, side_name: str, order: LabelOrder) -> Path:
    """Write the order in one step; returns where. Raises `InputError` when the disk is full."""
    path = order_path(workspace, side_name)
    make_folder(path.parent)
    write_atomically(path, msgspec.json.format(msgspec.json.encode(order)))
    return path


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        f"cannot use the order of labels {path}: {why}",
        "run xseg-order again; it makes the file anew",
        code="label-order",
    )
