"""The face files of a side as files, for the tools that rename or rewrite them."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images


def loose_faces(side: Side) -> list[Path]:
    """The side's JPEG files in `aligned`, by name; whether they are faces is not looked at.

    Raises `InputError` if there are none, or if a `faceset.pak` hides them.
    """
    if side.pack.is_file():
        raise InputError(
            f"the faceset in {side.aligned} is packed, and this works on face files",
            f"run faceset-unpack --side {side.name} first",
            code="packed-faceset",
        )
    paths = list_images(side.aligned, FACE_SUFFIXES)
    if not paths:
        raise InputError(
            f"no faces in {side.aligned}",
            f"run faces-extract --side {side.name} first",
            code="no-faces",
        )
    return paths
