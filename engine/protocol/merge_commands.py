"""Commands to a merge session (`engine.stages.merge_session`): looking at frames, changing looks.

Frames are numbered from 0 in the order of their names. The session owns the timeline; viewers send
what is wanted and draw what `MergeShown`, `MergeState` and `MergeStrip` tell. What is not possible
is answered with `MergeRefused`. Commands that arrive while a picture is made are carried out
together: the newest frame, look and view is drawn, those between are not.

Several viewers look at the same frame, each in its own view: pictures, strips and refusals go to
the viewer that they are for.
"""

from __future__ import annotations

from typing import Any, Literal

from engine.protocol.commands import ViewerCommand

View = Literal["result", "original", "mask", "alpha", "wipe", "side"]
Zoom = Literal["fit", "face", "1:1"]


class SessionCommand(ViewerCommand, frozen=True, kw_only=True):
    """seq: counts up in each viewer; the newest one that was carried out (or refused) comes back as
    `MergeShown.answered`, one that is not possible as `MergeRefused.command_seq`."""

    seq: int = 0


class MergeView(SessionCommand, tag="merge-view", frozen=True):
    """How this viewer wants pictures. The first command of a viewer: it is answered with a whole
    `MergeState`, a `MergeShown` and, if wanted, a `MergeStrip`.

    view: "result"; "original", the frame as it was; "mask"; "alpha", the result darkened, over a
        checkerboard where the frame was kept; "wipe", the result up to `wipe` (0..1 of the
        picture's width) and the original from there; "side", original and result side by side.
    zoom: "fit", the whole frame; "face", around the face of `track`, or all faces for ""; "1:1",
        a pixel of the frame is one of the picture.
    scale: enlarges (> 1) what is shown, or shrinks it; 0.1..8.
    centre_x, centre_y: where of the frame, 0..1, the middle of the picture lies, for what does not
        show the whole frame; None: where the zoom would have it (the face, the frame's middle).
    width, height: the box in pixels that pictures are made for; they are never larger.
    strip_frames: how many neighbours on each side a `MergeStrip` shows; 0: none.
    strip_height: the height of its thumbnails in pixels.
    """

    view: View = "result"
    wipe: float = 0.5
    zoom: Zoom = "fit"
    scale: float = 1.0
    centre_x: float | None = None
    centre_y: float | None = None
    track: str = ""
    width: int = 640
    height: int = 360
    strip_frames: int = 0
    strip_height: int = 48


class MergeGo(SessionCommand, tag="merge-go", frozen=True):
    """Show that frame (a number beyond the last one is refused). Stops rendering the rest."""

    frame: int


class MergeEdit(SessionCommand, tag="merge-edit", frozen=True):
    """Change fields of the look of `frame`: `changes` by the names and with the values of
    `engine.protocol.look_options`. Stops rendering the rest.

    track: the face, or "" for all faces of the frame.
    """

    frame: int
    changes: dict[str, Any]
    track: str = ""


class MergeCopy(SessionCommand, tag="merge-copy", frozen=True):
    """Give the look of `frame` to others and go there, as DeepFaceLab's M and / do: to the frame
    before or after it, or to all before (up to the first) or after (up to the last)."""

    frame: int
    to: Literal["previous", "next", "before", "after"]


class MergeKey(SessionCommand, tag="merge-key", frozen=True):
    """A key at `frame`: "add" one with the look that the frame has, or change how the one there
    goes on; "remove" it; "move" it to frame `to`.

    goes_on: "" as the key before does.
    """

    frame: int
    action: Literal["add", "remove", "move"]
    goes_on: Literal["", "hold", "linear", "smooth"] = ""
    to: int = 0
    track: str = ""


class MergeShot(SessionCommand, tag="merge-shot", frozen=True):
    """Shots: "start": the shot of `frame` begins with the frame's look, its keys stay; "fill": all
    frames of the shot take the look; "cut" and "join": a shot begins at `frame`, or no longer
    does."""

    frame: int
    action: Literal["start", "fill", "cut", "join"]


class MergeUndo(SessionCommand, tag="merge-undo", frozen=True):
    """Take the newest change of the timeline back, and show the frame that it changed; without one
    it does nothing."""


class MergeRedo(SessionCommand, tag="merge-redo", frozen=True):
    """Make the change that was taken back again, and show its frame; without one it does
    nothing."""


class MergeNamed(SessionCommand, tag="merge-named", frozen=True):
    """Looks with names: "save" that of `frame`, "apply" one to it, "delete" one."""

    frame: int
    action: Literal["save", "apply", "delete"]
    name: str
    track: str = ""


class MergeProcess(SessionCommand, tag="merge-process", frozen=True):
    """Render all frames that are not rendered as they would be now, from the shown one on, in the
    background; or stop that."""

    on: bool


MergeCommand = (
    MergeView
    | MergeGo
    | MergeEdit
    | MergeCopy
    | MergeKey
    | MergeShot
    | MergeUndo
    | MergeRedo
    | MergeNamed
    | MergeProcess
)
