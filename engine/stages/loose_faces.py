"""The face files that stages for loose facesets work on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.faces.loose_faces import loose_faces
from engine.protocol.errors import ConfirmationNeeded
from engine.protocol.files import sweep_parts
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side

# What to do about a file among the faces that is none.
NO_FACE_REMEDY = "extract this face again, or move the file out of the faceset"


def swept_loose_faces(side: Side) -> list[Path]:
    """`loose_faces`, after which nothing half-written by a killed run is left beside them."""
    faces = loose_faces(side)
    sweep_parts(side.aligned)
    return faces


def require_in_place_confirmed(context: StageContext, pictures: Sequence[Path]) -> None:
    """Raises `ConfirmationNeeded` if `pictures` are to be replaced without the user's word."""
    if context.options["in_place"] and not context.confirmed:
        raise ConfirmationNeeded(
            f"{len(pictures)} pictures in {pictures[0].parent} are to be replaced",
            "confirm (--yes): the originals go to the workspace's trash; or leave out --in-place",
        )
