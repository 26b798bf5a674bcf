"""The timeline: which look each face of each frame has, as a value.

Sparse: keys at frames, and how each goes on to the next. Frames are numbered from 0 in the order of
their names. Faces of one frame may differ: a *track* is a face followed through a shot (a letter;
the same letter means somebody else in another shot), and "" is all of them. A track's own keys hold
from the first one to the end of its shot; where it has none, those of "" do.

Shots are told by their first frames (*cuts*). Nothing is interpolated across a cut; a shot without
a key of its own goes on with the look that the shot before it ended with.

`engine.protocol.timeline_edits` changes timelines, `engine.protocol.timeline_file` keeps them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from engine.protocol.look import Look, look_between

ALL_FACES = ""
HOLD, LINEAR, SMOOTH = "hold", "linear", "smooth"
GOES_ON = (HOLD, LINEAR, SMOOTH)
# Beyond any frame: where what has no end ends.
ENDLESS = 1 << 62


@dataclass(frozen=True)
class Key:
    """From `frame` on, the faces of `track` have `look`.

    goes_on: towards the next key of the same track and shot: "hold" keeps the look, "linear" and
        "smooth" lead its numbers there; all else changes at the next key.
    missing: the stem of the frame that the key was set at, where that frame is not there now; it
        then holds from the next frame that is. "" for all others.
    """

    frame: int
    track: str
    look: Look
    goes_on: str = HOLD
    missing: str = ""

    @property
    def place(self) -> tuple[str, int, bool, str]:
        """How keys are sorted. Of those at one frame the last counts: the frame's own."""
        return self.track, self.frame, not self.missing, self.missing


@dataclass(frozen=True)
class Timeline:
    """Looks over frames. Equal timelines give every frame the same look.

    keys: sorted by `Key.place`. cuts: the first frames of all shots but the first, ascending.
    default: the look before the first key. visited: ranges (first, last + 1), ascending, of the
    frames that were seen or rendered: those keep their looks when a frame before them is changed.
    names: looks by name, sorted. missing_cuts: for those of `cuts` that were set at a frame that is
    not there now, that frame's stem.
    """

    keys: tuple[Key, ...] = ()
    cuts: tuple[int, ...] = ()
    default: Look = field(default_factory=Look)
    visited: tuple[tuple[int, int], ...] = ()
    names: tuple[tuple[str, Look], ...] = ()
    missing_cuts: tuple[tuple[int, str], ...] = ()


def look_at(timeline: Timeline, frame: int, track: str = ALL_FACES) -> Look:
    """The look of the faces of `track` in frame number `frame`."""
    span = span_at(timeline, frame, track)
    if span is None and track != ALL_FACES:
        span = span_at(timeline, frame, ALL_FACES)
    return timeline.default if span is None else span.look_at(frame)


@dataclass(frozen=True)
class Span:
    """The key that governs a frame, and the track's next one, if there is any.

    goes_on: how the look goes on from the frame: the key's, but "hold" in a shot after the key's.
    leads: whether the look is on its way to that of the following key.
    """

    key: Key
    following: Key | None
    goes_on: str
    leads: bool

    def look_at(self, frame: int) -> Look:
        """The look in a frame of the span."""
        if self.following is None or not self.leads:
            return self.key.look
        part = (frame - self.key.frame) / (self.following.frame - self.key.frame)
        if self.key.goes_on == SMOOTH:
            part = part * part * (3 - 2 * part)
        return look_between(self.key.look, self.following.look, part)


def span_at(timeline: Timeline, frame: int, track: str) -> Span | None:
    """What governs a track's own look in a frame; None before its first key (for a face: of the
    shot)."""
    keys = timeline.keys
    place = bisect_right(keys, (track, frame), key=_track_and_frame) - 1
    if place < 0 or keys[place].track != track:
        return None
    key = keys[place]
    is_of_this_shot = first_of_shot(timeline, frame) <= key.frame
    if track != ALL_FACES and not is_of_this_shot:
        return None
    following = next_key(timeline, frame, track)
    goes_on = key.goes_on if is_of_this_shot else HOLD
    if following is None or following.frame >= end_of_shot(timeline, key.frame):
        return Span(key, following if track == ALL_FACES else None, goes_on, leads=False)
    return Span(key, following, goes_on, leads=goes_on != HOLD)


def next_key(timeline: Timeline, frame: int, track: str) -> Key | None:
    """The track's first key after `frame`; of several at one frame the one that counts."""
    keys = timeline.keys
    place = bisect_right(keys, (track, frame), key=_track_and_frame)
    if place == len(keys) or keys[place].track != track:
        return None
    return keys[bisect_right(keys, _track_and_frame(keys[place]), key=_track_and_frame) - 1]


def key_at(timeline: Timeline, frame: int, track: str = ALL_FACES) -> Key | None:
    """The track's key at that very frame."""
    span = span_at(timeline, frame, track)
    return span.key if span is not None and span.key.frame == frame else None


def first_of_shot(timeline: Timeline, frame: int) -> int:
    """The first frame of the shot that the frame is in."""
    place = bisect_right(timeline.cuts, frame)
    return timeline.cuts[place - 1] if place else 0


def end_of_shot(timeline: Timeline, frame: int) -> int:
    """The first frame of the next shot; `ENDLESS` in the last one."""
    place = bisect_right(timeline.cuts, frame)
    return timeline.cuts[place] if place < len(timeline.cuts) else ENDLESS


def tracks_with_keys(timeline: Timeline, first: int, end: int) -> list[str]:
    """The faces with keys of their own at frames `first` to `end` - 1."""
    found = {key.track for key in timeline.keys if first <= key.frame < end}
    return sorted(found - {ALL_FACES})


def next_visited(timeline: Timeline, frame: int) -> int:
    """The first visited frame from `frame` on; `ENDLESS` if there is none."""
    for first, end in timeline.visited[_range_before(timeline, frame) :]:
        if frame < end:
            return max(first, frame)
    return ENDLESS


def _range_before(timeline: Timeline, frame: int) -> int:
    return max(0, bisect_left(timeline.visited, (frame, 0)) - 1)


def _track_and_frame(key: Key) -> tuple[str, int]:
    return key.track, key.frame
