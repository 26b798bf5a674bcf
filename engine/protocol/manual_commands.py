"""Commands to a manual extraction (`engine.stages.faces_manual`): faces placed by hand, frame by
frame.

Frames are numbered from 0 in the order of their names; all of a side's frames are there, those that
are to be done are told in `ManualState`. Coordinates are pixels of the frame. The session owns the
face of the shown frame and writes face files; viewers send what is wanted and draw what
`ManualShown`, `ManualFace` and `ManualState` tell. What is not possible is answered with
`ManualRefused`. Of squares that arrive while landmarks are looked for, the newest counts; commands
that need the landmarks wait for them.

Several viewers look at the same frame; refusals, and what of its own commands a face follows, are
told to each viewer by itself.
"""

from __future__ import annotations

from typing import Literal

from engine.protocol.commands import ViewerCommand

PointXY = tuple[float, float]


class ManualView(ViewerCommand, tag="manual-view", frozen=True):
    """The first command of a viewer: it is answered with a `ManualState`, a `ManualShown` and a
    `ManualFace`."""


class ManualGo(ViewerCommand, tag="manual-go", frozen=True):
    """Show that frame. keeps: the face of the frame shown so far is kept if it is locked, as
    DeepFaceLab does when one leaves a frame. A frame with a face is shown with it, locked; else the
    square stays where it is."""

    frame: int
    keeps: bool = False


class ManualSquare(ViewerCommand, tag="manual-square", frozen=True):
    """Look for landmarks in that square of `frame`: its middle, half of its side, and by how much
    the face is turned clockwise in it. Unlocks the face. seq: see `ManualFace.answered`."""

    frame: int
    x: float
    y: float
    half_side: float
    roll_deg: float = 0.0
    seq: int = 0


class ManualRectangle(ViewerCommand, tag="manual-rectangle", frozen=True):
    """Place the mean face in `frame`, for a face that no landmarker sees: the tip of its nose at
    x, y; its right edge (in the picture) where the arrow (across, down) from there ends, so that
    the arrow gives size and rotation. The 17 points of the jaw fall on one: such a face needs a
    drawn or trained mask. Unlocked; seq as above."""

    frame: int
    x: float
    y: float
    across: float
    down: float
    seq: int = 0


class ManualPoints(ViewerCommand, tag="manual-points", frozen=True):
    """The face of `frame` has these 68 landmarks: set by hand, and locked. seq as above."""

    frame: int
    points: tuple[PointXY, ...]
    seq: int = 0


class ManualLock(ViewerCommand, tag="manual-lock", frozen=True):
    """Have the face of `frame` stay as it is, whatever the square does; or let it go."""

    frame: int
    on: bool


class ManualAccurate(ViewerCommand, tag="manual-accurate", frozen=True):
    """Look as exactly as the automatic extraction does, or once and fast."""

    on: bool


class ManualKeep(ViewerCommand, tag="manual-keep", frozen=True):
    """Write the face of `frame`, as it is, and then show the frame `then` (-1: stay). Where it
    cannot be kept, this frame stays shown."""

    frame: int
    then: int = -1


class ManualSkip(ViewerCommand, tag="manual-skip", frozen=True):
    """`frame` is done and has no face by hand: one that was kept here goes to the trash, one that
    was there before stays."""

    frame: int


class ManualCopy(ViewerCommand, tag="manual-copy", frozen=True):
    """Give `frame` the face of the nearest frame before it that has one; locked."""

    frame: int


class ManualFill(ViewerCommand, tag="manual-fill", frozen=True):
    """Keep faces of other frames, made from what is known; any command but a view ends it.

    "between": in the frames without a kept face around `frame` (or before it), on the way from the
    face before them to the one after them. "follow": in up to `frames` frames after `frame`, its
    face followed by what moves in the picture, until it is lost, the shot ends, or a frame that
    need not be done has a face already.
    """

    frame: int
    how: Literal["between", "follow"]
    frames: int = 0


NumberedCommand = ManualSquare | ManualRectangle | ManualPoints
ManualCommand = (
    ManualView
    | ManualGo
    | ManualSquare
    | ManualRectangle
    | ManualPoints
    | ManualLock
    | ManualAccurate
    | ManualKeep
    | ManualSkip
    | ManualCopy
    | ManualFill
)
