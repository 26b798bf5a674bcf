"""Events of interactive sessions: merging, extraction by hand, labels. None is journalled: a viewer
that comes later is told how things stand then."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from engine.protocol.event import Event
from engine.protocol.label_commands import LabelPolygon, Polygons


class FaceBox(msgspec.Struct, array_like=True, frozen=True):
    """Where a face of the frame is: its track and its box in pixels of the frame."""

    track: str
    left: int
    top: int
    right: int
    bottom: int


class MergeShown(Event, tag="merge-shown"):
    """A picture of a merge session is complete at `path` (JPEG or PNG; a few names in turn, so read
    it at once or skip it: a newer one follows).

    answered: the newest `SessionCommand.seq` of this viewer that it shows. proxy: made faster at a
    lower resolution; a full one follows when no more commands come. look: of the face that the view
    names, by field.
    tracks: the faces of the frame and their places. width, height: of the picture; crop: the part
    of the frame in it (left, top, width, height in the frame's pixels), before a "side" view puts
    two of them beside each other. note: why there is no result to see ("predicting", or what is
    wrong with the frame); the picture is the frame as it is then. ms: since the newest command came
    to the session.
    """

    journalled: ClassVar[bool] = False

    frame: int
    name: str
    path: str
    view: str
    width: int
    height: int
    frame_width: int
    frame_height: int
    crop: tuple[int, int, int, int]
    look: dict[str, Any]
    answered: int = 0
    proxy: bool = False
    faces: tuple[FaceBox, ...] = ()
    note: str = ""
    ms: float = 0.0


class MergeStrip(Event, tag="merge-strip"):
    """Thumbnails side by side in one picture at `path`: `count` frames from `first` on, each
    `thumb_width` wide. They are results where they are rendered, else the frames as they are."""

    journalled: ClassVar[bool] = False

    frame: int
    first: int
    count: int
    thumb_width: int
    path: str
    width: int
    height: int


class KeyMark(msgspec.Struct, array_like=True, frozen=True):
    """A key of the timeline; `goes_on`: hold, linear or smooth."""

    frame: int
    track: str
    goes_on: str


class MergeState(Event, tag="merge-state"):
    """Where a merge session stands. Sent when it changed, a few times a second at most.

    frames: how many there are. frame: the shown one. done: lengths of runs of frames, alternately
    not rendered and rendered as they would be now, beginning with not rendered (0 if the first one
    is rendered). shots: the first frames of all shots. names: the named looks.
    """

    journalled: ClassVar[bool] = False

    frames: int
    frame: int
    done: tuple[int, ...]
    keys: tuple[KeyMark, ...] = ()
    shots: tuple[int, ...] = (0,)
    undo_depth: int = 0
    redo_depth: int = 0
    names: tuple[str, ...] = ()
    processing: bool = False


class MergeRefused(Event, tag="merge-refused"):
    """A command to a merge session changed nothing: why, and what would do. `command_seq`: that of
    the command; 0 for what was begun earlier."""

    journalled: ClassVar[bool] = False

    command_seq: int
    message: str
    remedy: str = ""


class ManualShown(Event, tag="manual-shown"):
    """The picture of a frame under manual extraction is complete at `path` (JPEG, as large as the
    frame; a few names in turn, so read it at once or skip it). problem: why there is none; `path`
    is "" then."""

    journalled: ClassVar[bool] = False

    frame: int
    name: str
    path: str
    width: int
    height: int
    problem: str = ""


class ManualFace(Event, tag="manual-face"):
    """The face of the shown frame; sent when it changed, in pixels of the frame.

    answered: the newest `seq` of this viewer that it follows. source: how it came about: "square",
    "rectangle", "hand", "file" (it is in a face file), "copy"; "" while there is none. points: the
    68 landmarks, or none. corners: of the crop, from the top left clockwise. square: x, y, half
    side, roll in degrees. kept: it is in the frame's face file as it is here. doubtful: an accurate
    look does not agree with itself here; it was answered by one look.
    """

    journalled: ClassVar[bool] = False

    frame: int
    answered: int
    source: str
    locked: bool
    kept: bool
    points: tuple[tuple[float, float], ...]
    corners: tuple[tuple[float, float], ...]
    square: tuple[float, float, float, float]
    doubtful: bool = False
    ms: float = 0.0


class ManualRun(msgspec.Struct, array_like=True, frozen=True):
    """So many frames after each other stand alike. state: "open", to be done; "kept", a face was
    kept here; "skipped"; "known", need not be done and has a face; "other", neither."""

    state: str
    frames: int


class ManualState(Event, tag="manual-state"):
    """Where a manual extraction stands. `filling`: what `ManualFill` is making; "" for nothing."""

    journalled: ClassVar[bool] = False

    frame: int
    runs: tuple[ManualRun, ...]
    accurate: bool
    filling: str = ""


class ManualRefused(Event, tag="manual-refused"):
    """A command to a manual extraction changed nothing, or ended early: why, and what would do."""

    journalled: ClassVar[bool] = False

    message: str
    remedy: str = ""


class LabelsShown(Event, tag="labels-shown"):
    """The face that a label session is at, and what is drawn on it.

    path: of its picture, width x height pixels. polygons: those in the file. open: the one that was
    begun. mask_path: of the applied mask's picture, grey (a few names in turn); "" without one.
    trouble: why nothing can be drawn on it. changed_elsewhere: somebody else changed the labels;
    what a viewer had is not in the file.
    """

    journalled: ClassVar[bool] = False

    face: int
    name: str
    path: str
    width: int
    height: int
    polygons: Polygons = ()
    open: LabelPolygon | None = None
    mask_path: str = ""
    trouble: str = ""
    changed_elsewhere: bool = False


class LabelsKept(Event, tag="labels-kept"):
    """The polygons of the `LabelsSet` of that seq (and those before it) are in the files; `stamp`
    is theirs."""

    journalled: ClassVar[bool] = False

    name: str
    command_seq: int
    stamp: str


class LabelsState(Event, tag="labels-state"):
    """Where a label session stands. faces: how many there are. face: the shown one. labelled:
    lengths of runs of faces, alternately without and with labels, beginning with those without (0
    if the first one has some). suggested: faces that are worth labelling, best first. trashed: how
    many can be brought back."""

    journalled: ClassVar[bool] = False

    faces: int
    face: int
    labelled: tuple[int, ...]
    suggested: tuple[int, ...] = ()
    trashed: int = 0


class LabelsStrip(Event, tag="labels-strip"):
    """Small pictures side by side in one at `path`: `count` faces from `first` on, each
    `thumb_width` wide, their masks tinted."""

    journalled: ClassVar[bool] = False

    face: int
    first: int
    count: int
    thumb_width: int
    path: str
    width: int
    height: int


class LabelsSuggested(Event, tag="labels-suggested"):
    """Polygons that were asked for by `LabelsSuggest`."""

    journalled: ClassVar[bool] = False

    name: str
    how: str
    polygons: Polygons
    command_seq: int = 0


class LabelsRefused(Event, tag="labels-refused"):
    """A command to a label session changed nothing: why, and what would do. command_seq: that
    of a `LabelsSet` or `LabelsSuggest`, 0 for other commands."""

    journalled: ClassVar[bool] = False

    command_seq: int
    message: str
    remedy: str = ""
