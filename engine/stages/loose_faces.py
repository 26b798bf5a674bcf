"""The face files that stages for loose facesets work on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import sweep_parts
from engine.protocol.stage import StageContext
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images


def loose_faces(side: Side) -> list[Path]:
    """The side's face files by name. Raises `InputError` if there are none, or a pack hides
    them."""
    if side.pack.is_file():
        raise InputError(
            f"the faceset is packed in {side.pack}",
            f"run faceset-unpack --side {side.name} first",
            code="packed",
        )
    faces = list_images(side.aligned, FACE_SUFFIXES)
    if not faces:
        raise InputError(
            f"no faces in {side.aligned}",
            f"run faces-extract --side {side.name} first",
            code="no-faces",
        )
    sweep_parts(side.aligned)
    return faces


def require_in_place_confirmed(context: StageContext, pictures: Sequence[Path]) -> None:
    """Raises `ConfirmationNeeded` if `pictures` are to be replaced without the user's word."""
    if context.options["in_place"] and not context.confirmed:
        raise ConfirmationNeeded(
            f"{len(pictures)} pictures in {pictures[0].parent} are to be replaced",
            "confirm (--yes): the originals go to the workspace's trash; or leave out --in-place",
        )
