"""The face files of a side as files, for the tools that rename or rewrite them."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.needs import no_faces_in
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images


def loose_faces(side: Side, suffixes: frozenset[str] = FACE_SUFFIXES) -> list[Path]:
    """The side's files in `aligned` with these suffixes (lower case, JPEG when not given), by name;
    whether they are faces is not looked at.

    Raises `InputError` if there are none, or if a `faceset.pak` hides them.
    """
    if side.pack.is_file():
        raise InputError(
            f"the faceset in {side.aligned} is packed, and this works on face files",
            f"run faceset-unpack --side {side.name} first",
            code="packed-faceset",
        )
    paths = list_images(side.aligned, suffixes)
    if not paths:
        raise no_faces_in(side)
    return paths
