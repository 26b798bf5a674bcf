"""What a viewer of a manual extraction knows and wants: events and wishes in, commands out.

A wish is shown at once, before the session has answered; answers then have the last word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from engine.protocol import manual_commands as commands
from engine.protocol.events import (
    AnyEvent,
    ManualFace,
    ManualRefused,
    ManualShown,
    ManualState,
)
from engine.protocol.landmark_groups import GROUPS
from engine.protocol.manual_commands import ManualCommand

XY = tuple[float, float]
Points = tuple[XY, ...]
# DeepFaceLab's window is that high, and its square's half side counts in the window's pixels.
WINDOW_PX = 769.0
SMALL_PX = 40.0  # from here on the square is seen magnified, and its steps are single pixels
LEAST_PX = 5.0
WHOLE = "face"
PARTS: dict[str, tuple[int, ...]] = {WHOLE: tuple(range(68)), **GROUPS}
# Undone one by one.
UNDOS_KEPT = 200


@dataclass(frozen=True)
class Square:
    """In pixels of the frame; the face in it is turned clockwise by `roll_deg`."""

    x: float
    y: float
    half_side: float
    roll_deg: float = 0.0

    def resized(self, steps: int, frame_height: int) -> Square:
        """Larger or smaller by DeepFaceLab's steps: 1 in its window up to a half side of 40, then a
        tenth of it, up to 10; never under 5."""
        unit = frame_height / WINDOW_PX
        half = self.half_side / unit
        for _ in range(abs(steps)):
            step = 1.0 if half <= SMALL_PX else min(10.0, max(1.0, half / 10))
            half = max(LEAST_PX, half + math.copysign(step, steps))
        return replace(self, half_side=half * unit)

    def is_small(self, frame_height: int) -> bool:
        return self.half_side * WINDOW_PX / frame_height <= SMALL_PX


class ManualDesk:
    """state, shown, face: what the session told last; None before (`face`: also while the face of a
    frame just gone to is not known). frame: the one that is wished for, or shown. states: of all
    frames, with what was wished. square: as wished. chosen: the points that keys move, part: the
    name of theirs. refusals: since they were taken.
    """

    def __init__(self) -> None:
        self.state: ManualState | None = None
        self.shown: ManualShown | None = None
        self.face: ManualFace | None = None
        self.frame = 0
        self.states: list[str] = []
        self.square: Square | None = None
        self.anchor: XY | None = None
        self.part = ""
        self.single: int | None = None
        self.accurate = True
        self.refusals: list[ManualRefused] = []
        self._outbox: list[ManualCommand] = []
        self._seq = 0
        self._points: tuple[int, Points] | None = None  # by hand, and the command that tells
        self._locked: bool | None = None  # as wished, until it is told
        self._undo: list[Points] = []
        self._goes_to: int | None = None
        self._fills = False  # other frames; a stray move of the mouse must not end it

    # What is seen

    @property
    def points(self) -> Points:
        """The landmarks; () while there are none."""
        if self._points is not None:
            return self._points[1]
        return self.face.points if self.face else ()

    @property
    def locked(self) -> bool:
        if self._locked is not None:
            return self._locked
        return self.face is not None and self.face.locked

    @property
    def is_kept(self) -> bool:
        return self._points is None and self.face is not None and self.face.kept

    @property
    def chosen(self) -> tuple[int, ...]:
        if self.single is not None:
            return (self.single,)
        return PARTS.get(self.part, ())

    @property
    def frame_height(self) -> int:
        return self.shown.height if self.shown and self.shown.height else 1

    @property
    def is_magnified(self) -> bool:
        return self.square is not None and self.square.is_small(self.frame_height)

    @property
    def done(self) -> tuple[int, int]:
        """How many of the frames that are to be done, or were, are done; and how many those are."""
        done = sum(state in ("kept", "skipped") for state in self.states)
        return done, done + self.states.count("open")

    # Events

    def greeting(self) -> list[ManualCommand]:
        """What is sent first at a connection; whatever was under way is not any more."""
        self._outbox.clear()
        self._forget_wishes()
        self._goes_to = None
        return [commands.ManualView()]

    def heard(self, event: AnyEvent) -> None:
        """Take in what the session tells."""
        if isinstance(event, ManualState):
            self._take_state(event)
        elif isinstance(event, ManualShown):
            self.shown = event
        elif isinstance(event, ManualFace):
            self._take_face(event)
        elif isinstance(event, ManualRefused):
            self._take_refusal(event)

    def _take_state(self, state: ManualState) -> None:
        self.state = state
        self.states = [run.state for run in state.runs for _ in range(run.frames)]
        self.accurate = state.accurate
        self._fills = bool(state.filling)

    def _take_face(self, face: ManualFace) -> None:
        if self._goes_to is not None and face.frame != self._goes_to:
            return  # one on the way to where the user is already
        if face.frame != self.frame:
            self._forget_wishes()
        self._goes_to = None
        self.frame, self.face = face.frame, face
        if face.locked == self._locked:
            self._locked = None
        if self._points is not None and face.answered >= self._points[0]:
            self._points = None
        if self.square is None or face.answered >= self._seq:
            self.square = Square(*face.square) if face.square[2] else None

    def _take_refusal(self, refusal: ManualRefused) -> None:
        self.refusals.append(refusal)
        self._forget_wishes()
        self._goes_to, self._fills = None, False
        if self.face is None and self.state is not None:
            self._put(commands.ManualView())  # what is shown there stays so

    def _forget_wishes(self) -> None:
        self._points = self._locked = self.anchor = None
        self._undo.clear()

    # Wishes: the square

    def square_to(self, xy: XY) -> None:
        """The square's middle there, unless the face is locked; of a free rectangle, its edge."""
        if self.face is None or self.locked or self._fills:
            return
        if self.anchor is not None:
            self._point_rectangle(xy)
        elif self.square is not None:
            self._set_square(replace(self.square, x=xy[0], y=xy[1]))

    def resize(self, steps: int) -> None:
        """The square larger or smaller; chosen points about their middle."""
        if self.chosen and self.points:
            self._change_points(_scaled(self.points, self.chosen, 1.02**steps))
        elif self.square is not None and not self.locked and self.anchor is None:
            self._set_square(self.square.resized(steps, self.frame_height))

    def roll(self, degrees: float) -> None:
        """The square turned clockwise; chosen points about their middle."""
        if self.chosen and self.points:
            self._change_points(_turned(self.points, self.chosen, degrees))
        elif self.square is not None and not self.locked and self.anchor is None:
            roll = (self.square.roll_deg + degrees + 180) % 360 - 180
            self._set_square(replace(self.square, roll_deg=roll))

    def _set_square(self, square: Square) -> None:
        self.square = square
        self._seq += 1
        self._put(
            commands.ManualSquare(
                self.frame, square.x, square.y, square.half_side, square.roll_deg, self._seq
            )
        )

    def turn_rectangle(self, cursor_xy: XY) -> None:
        """A free rectangle with the tip of the nose in the square's middle; or the square again."""
        if self.face is None:
            return
        if self.anchor is not None:
            self.anchor = None
            if self.square is not None:
                self._set_square(replace(self.square, x=cursor_xy[0], y=cursor_xy[1]))
            return
        if self.locked:
            self._lock(on=False)
        self.anchor = cursor_xy

    def _point_rectangle(self, xy: XY) -> None:
        assert self.anchor is not None
        across, down = xy[0] - self.anchor[0], xy[1] - self.anchor[1]
        if math.hypot(across, down) < 1:
            return
        self._seq += 1
        self._put(commands.ManualRectangle(self.frame, *self.anchor, across, down, seq=self._seq))

    def turn_accurate(self) -> None:
        self.accurate = not self.accurate
        self._put(commands.ManualAccurate(self.accurate))

    # Wishes: the face

    def turn_lock(self, cursor_xy: XY) -> None:
        """Lock the face, or let it go: the square is then at the cursor. Ends a free rectangle."""
        if self.face is None:
            return
        if self.anchor is not None:
            self.anchor = None
            self._lock(on=True)
        elif self.locked:
            self._points = None
            self._lock(on=False)
            if self.square is not None:
                self._set_square(replace(self.square, x=cursor_xy[0], y=cursor_xy[1]))
        else:
            self._lock(on=True)

    def _lock(self, *, on: bool) -> None:
        self._locked = on
        self._put(commands.ManualLock(self.frame, on))

    def choose_part(self, direction: int) -> None:
        """The part after (1) or before (-1) the chosen one; after the last one none."""
        names = ["", *PARTS]
        self.part = names[(names.index(self.part) + direction) % len(names)]
        self.single = None

    def choose_point(self, direction: int) -> None:
        """The single point after or before the chosen one, among those of the part."""
        among = PARTS[self.part or WHOLE]
        if self.single not in among:
            self.single = among[0 if direction > 0 else -1]
        else:
            self.single = among[(among.index(self.single) + direction) % len(among)]

    def choose_nothing(self) -> None:
        self.part, self.single = "", None

    def move_chosen(self, dx: float, dy: float) -> None:
        self.move_points(self.chosen, dx, dy)

    def move_points(self, which: tuple[int, ...], dx: float, dy: float) -> None:
        """Those points by pixels of the frame; the face is locked then."""
        if self.points and which:
            moved = [
                (x + dx, y + dy) if n in which else (x, y) for n, (x, y) in enumerate(self.points)
            ]
            self._change_points(tuple(moved))

    def _change_points(self, points: Points) -> None:
        self._undo = [*self._undo[-UNDOS_KEPT:], self.points]
        self._set_points(points)

    def _set_points(self, points: Points) -> None:
        self._seq += 1
        self._points = (self._seq, points)
        self._locked, self.anchor = True, None
        self._put(commands.ManualPoints(self.frame, points, self._seq))

    def undo(self) -> None:
        """The points as they were before the last move."""
        if self._undo:
            self._set_points(self._undo.pop())

    def copy(self) -> None:
        self._forget_wishes()
        self._put(commands.ManualCopy(self.frame))

    # Wishes: frames

    def keep(self) -> None:
        """Keep the face and go to the next frame that is to be done."""
        onward = self._open_after(self.frame)
        self._put(commands.ManualKeep(self.frame, self.frame if onward is None else onward))
        self._decide("kept", onward)

    def skip(self) -> None:
        onward = self._open_after(self.frame)
        self._put(commands.ManualSkip(self.frame))
        if onward is not None:
            self._put(commands.ManualGo(onward))
        self._decide("skipped", onward)

    def finish(self) -> None:
        """Keep the face if it is locked: the session is to end."""
        if self.locked and not self.is_kept:
            self._put(commands.ManualKeep(self.frame))

    def _decide(self, state: str, onward: int | None) -> None:
        if self.frame < len(self.states):
            self.states[self.frame] = state
        if onward is not None:
            self._move(onward)

    def go(self, frame: int) -> None:
        """To that frame, or to the first or last one if there is none."""
        frame = min(max(0, len(self.states) - 1), max(0, frame))
        if self.states and frame != self.frame:
            self._put(commands.ManualGo(frame, keeps=True))
            self._move(frame)

    def go_open(self, direction: int) -> None:
        """To the next frame that is to be done (1), or the one before (-1)."""
        if direction > 0:
            found = self._open_after(self.frame)
        else:
            before = range(self.frame - 1, -1, -1)
            found = next((n for n in before if self.states[n] == "open"), None)
        if found is not None:
            self.go(found)

    def _open_after(self, frame: int) -> int | None:
        later = range(frame + 1, len(self.states))
        return next((n for n in later if self.states[n] == "open"), None)

    def _move(self, frame: int) -> None:
        self._goes_to = self.frame = frame
        self.face = None
        self._forget_wishes()

    def fill(self, how: Literal["between", "follow"], frames: int = 0) -> None:
        """See `ManualFill`."""
        self._fills = True
        self._put(commands.ManualFill(self.frame, how, frames))

    # Sending

    def take_outbox(self) -> list[ManualCommand]:
        """What is to be sent now, in this order."""
        taken, self._outbox = self._outbox, []
        return taken

    def _put(self, command: ManualCommand) -> None:
        """To be sent; it takes the place of the one before where that need never be carried out."""
        places = commands.ManualSquare | commands.ManualRectangle | commands.ManualPoints
        before = self._outbox[-1] if self._outbox else None
        if isinstance(command, places) and type(before) is type(command):
            self._outbox[-1] = command
        else:
            self._outbox.append(command)


def _middle(points: Points, which: tuple[int, ...]) -> XY:
    chosen = [points[n] for n in which]
    return sum(x for x, _ in chosen) / len(chosen), sum(y for _, y in chosen) / len(chosen)


def _scaled(points: Points, which: tuple[int, ...], factor: float) -> Points:
    cx, cy = _middle(points, which)
    return tuple(
        (cx + (x - cx) * factor, cy + (y - cy) * factor) if n in which else (x, y)
        for n, (x, y) in enumerate(points)
    )


def _turned(points: Points, which: tuple[int, ...], degrees: float) -> Points:
    cx, cy = _middle(points, which)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple(
        (cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos)
        if n in which
        else (x, y)
        for n, (x, y) in enumerate(points)
    )
