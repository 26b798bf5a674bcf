"""Commands to a label session (`engine.stages.label_session`): looking at faces, drawing masks.

Faces are numbered from 0 in the order of their names; a face that goes to the trash renumbers those
after it, so what changes a face names it. The session owns the files; viewers send what is wanted
and draw what `LabelsShown`, `LabelsKept`, `LabelsState` and `LabelsStrip` tell. What is not
possible is answered with `LabelsRefused`.

Several viewers look at the same face; what answers a command goes to the viewer that sent it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Literal

import msgspec

from engine.protocol.commands import ViewerCommand

# Of a face in all. More is no mask that was drawn by hand, and would make lines too long for the
# wire: a point takes up to 40 letters.
MOST_POLYGONS = 1_000
MOST_POINTS = 10_000

Suggestion = Literal["landmarks", "hairline", "grabcut"]


class LabelPolygon(msgspec.Struct, array_like=True, frozen=True):
    """A part of a mask: points (x, y) in pixels of the aligned face."""

    is_include: bool
    points: tuple[tuple[float, float], ...]


Polygons = tuple[LabelPolygon, ...]


class LabelsView(ViewerCommand, tag="labels-view", frozen=True):
    """The first command of a viewer: it is answered with `LabelsState`, `LabelsShown` and, if
    wanted, `LabelsStrip`.

    strip_faces: how many faces the strip shows; 0: none. strip_height: of its pictures, in pixels.
    """

    strip_faces: int = 0
    strip_height: int = 48


class LabelsGo(ViewerCommand, tag="labels-go", frozen=True):
    """Show that face (a number beyond the last one is refused), or the one of that name."""

    face: int = 0
    name: str = ""


class LabelsSet(ViewerCommand, tag="labels-set", frozen=True):
    """The face's polygons from now on: all that are closed, and the open one that is being drawn.

    They are in the file (the open one in the session's own) when `LabelsKept` answers. over: the
    `labels_stamp` of the polygons that these take the place of: where the file holds others,
    somebody else changed it; nothing is written then, and `LabelsShown` tells what is there. seq:
    counts up in each viewer.
    """

    name: str
    polygons: Polygons
    open: LabelPolygon | None = None
    over: str = ""
    seq: int = 0


class LabelsSuggest(ViewerCommand, tag="labels-suggest", frozen=True):
    """Ask for polygons (`LabelsSuggested`): from the landmarks, up to the hair line, or what is
    drawn adapted to the edges of the picture. Nothing is changed."""

    name: str
    how: Suggestion
    seq: int = 0


class LabelsTrash(ViewerCommand, tag="labels-trash", frozen=True):
    """Move the face to the side's trash, and show the one after it."""

    name: str


class LabelsUntrash(ViewerCommand, tag="labels-untrash", frozen=True):
    """Bring the face back that went to the trash last, and show it."""


LabelCommand = LabelsView | LabelsGo | LabelsSet | LabelsSuggest | LabelsTrash | LabelsUntrash


def in_file_order(polygons: Iterable[LabelPolygon]) -> Polygons:
    """As face files hold them, and masks are painted: all that include, then all that exclude."""
    return tuple(sorted(polygons, key=lambda polygon: not polygon.is_include))


def labels_stamp(polygons: Iterable[LabelPolygon]) -> str:
    """A few letters that are the same for the same polygons in a file, whose points are float32."""
    digest = hashlib.sha1(usedforsecurity=False)
    for polygon in in_file_order(polygons):
        digest.update(struct.pack("<?I", polygon.is_include, len(polygon.points)))
        for point in polygon.points:
            digest.update(struct.pack("<ff", *point))
    return digest.hexdigest()[:16]
