"""Changes of a timeline: each a function from a timeline to the next one.

What holds is changed as in DeepFaceLab, where every frame that was visited keeps a look of its own
(pipeline specification 9.4): a change is for its frame alone where later frames were visited, and
for all to come where they were not. Where a key leads on to the next one (linear, smooth) a change
sets a key on that way, and the frames around it follow. A change for all faces (track "") changes
the same fields of those with looks of their own. Only frames that the caller knows exist may be
named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from itertools import pairwise

from engine.protocol.errors import UsageError
from engine.protocol.look import Look, changed_look
from engine.protocol.options import Text, ValueRefused
from engine.protocol.timeline import (
    ALL_FACES,
    ENDLESS,
    HOLD,
    Key,
    Timeline,
    end_of_shot,
    first_of_shot,
    look_at,
    next_key,
    next_visited,
    span_at,
    tracks_with_keys,
)
from engine.protocol.undo import History

NAME = Text(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,60}", "a name of 1 to 60 printable characters")


def visit(timeline: Timeline, first: int, end: int | None = None) -> Timeline:
    """Frame `first` (or all up to `end` - 1) was seen or rendered with its look. No edit: pass it
    to `History.amended`."""
    end = first + 1 if end is None else end
    if any(known <= first and end <= known_end for known, known_end in timeline.visited):
        return timeline
    merged: list[tuple[int, int]] = []
    for one, other in sorted((*timeline.visited, (first, end))):
        if merged and one <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], other)
        else:
            merged.append((one, other))
    return replace(timeline, visited=tuple(merged))


def set_look(
    timeline: Timeline, frame: int, changes: Mapping[str, object], track: str = ALL_FACES
) -> Timeline:
    """Other values in some fields of a frame's look. Raises `UsageError` for what no look can
    have."""
    changed = visit(timeline, frame)
    for one in _concerned(timeline, frame, track):
        look = look_at(timeline, frame, one)
        if (wanted := changed_look(look, changes)) != look:
            changed = _set(changed, frame, one, wanted)
    return changed


def copy_to_previous(timeline: Timeline, frame: int) -> Timeline:
    """The frame before takes over this one's look."""
    return _spread(visit(timeline, frame - 1, frame + 1), frame, frame - 1, frame)


def copy_to_next(timeline: Timeline, frame: int) -> Timeline:
    """The frame behind takes over this one's look; so do those behind it that were not visited."""
    return _spread(visit(timeline, frame, frame + 2), frame, frame + 1, frame + 2)


def copy_to_all_before(timeline: Timeline, frame: int) -> Timeline:
    """All frames before take over this one's look, and keep it from now on."""
    return _spread(visit(timeline, 0, frame + 1), frame, 0, frame)


def copy_to_all_after(timeline: Timeline, frame: int) -> Timeline:
    """All frames behind take over this one's look."""
    return _spread(visit(timeline, frame), frame, frame, ENDLESS)


def copy_to_shot(timeline: Timeline, frame: int) -> Timeline:
    """All frames of the shot take over this one's look."""
    first, end = first_of_shot(timeline, frame), end_of_shot(timeline, frame)
    return _spread(visit(timeline, frame), frame, first, end)


def set_shot_default(timeline: Timeline, frame: int, look: Look) -> Timeline:
    """The look that the frame's shot begins with. Keys in the shot stay; the next shot goes on as
    before."""
    first, end = first_of_shot(timeline, frame), end_of_shot(timeline, frame)
    keeps = None if end == ENDLESS else Key(end, ALL_FACES, look_at(timeline, end))
    span = span_at(timeline, first, ALL_FACES)
    goes_on = span.goes_on if span and span.key.frame == first else HOLD
    changed = _put(timeline, Key(first, ALL_FACES, look, goes_on))
    if keeps is None or look_at(changed, end) == keeps.look:
        return changed
    return _put(changed, keeps)


def add_key(timeline: Timeline, frame: int, goes_on: str = "", track: str = ALL_FACES) -> Timeline:
    """A key with the look that the frame has; if there is one, it goes on as said from now on.

    goes_on: "" to go on as the key before does (or, if there is one already, as it is).
    """
    changed = timeline
    for one in _concerned(timeline, frame, track):
        changed = _with_own_keys(changed, frame, one)
        span = span_at(changed, frame, one)
        going = goes_on or (span.goes_on if span else HOLD)
        changed = _put(changed, Key(frame, one, look_at(changed, frame, one), going))
    return changed


def remove_key(timeline: Timeline, frame: int, track: str = ALL_FACES) -> Timeline:
    """Without the keys at a frame (for track "" those of all faces): it then goes on from the key
    before."""
    gone = [key for key in timeline.keys if key.frame == frame and track in (ALL_FACES, key.track)]
    return _without(timeline, gone)


def move_key(timeline: Timeline, frame: int, to: int, track: str = ALL_FACES) -> Timeline:
    """The keys at a frame moved to another one, where they replace what is there."""
    moved = [key for key in timeline.keys if key.frame == frame and track in (ALL_FACES, key.track)]
    changed = _without(timeline, moved)
    for key in moved:
        changed = _put(changed, replace(key, frame=to, missing=""))
    return changed


def set_cuts(timeline: Timeline, cuts: Iterable[int]) -> Timeline:
    """The shots, by their first frames; that of the first shot may be left out."""
    wanted = {cut for cut in cuts if cut > 0}
    missing = tuple(item for item in timeline.missing_cuts if item[0] in wanted)
    return replace(timeline, cuts=tuple(sorted(wanted)), missing_cuts=missing)


def save_name(timeline: Timeline, name: str, look: Look) -> Timeline:
    """The look kept under a name, in place of one that has it. Raises `UsageError` for a name that
    cannot be shown on one line."""
    names = {**dict(timeline.names), _checked_name(name): look}
    return replace(timeline, names=tuple(sorted(names.items(), key=lambda item: item[0])))


def apply_name(timeline: Timeline, frame: int, name: str, track: str = ALL_FACES) -> Timeline:
    """The frame takes the named look. Raises `UsageError` if there is none."""
    return set_look(timeline, frame, asdict(named_look(timeline, name)), track)


def delete_name(timeline: Timeline, name: str) -> Timeline:
    """Without that name; frames that took its look keep it. Raises `UsageError` if there is
    none."""
    named_look(timeline, name)
    return replace(timeline, names=tuple(item for item in timeline.names if item[0] != name))


def named_look(timeline: Timeline, name: str) -> Look:
    """The look of that name. Raises `UsageError` if there is none."""
    names = dict(timeline.names)
    if name not in names:
        known = ", ".join(names) or "none yet"
        raise UsageError(f"there is no look named {name!r}", f"named looks: {known}")
    return names[name]


def undo(history: History[Timeline]) -> History[Timeline]:
    """One edit back; what was visited stays visited."""
    return history.undo().amended(lambda past: _visited_as(past, history.present))


def redo(history: History[Timeline]) -> History[Timeline]:
    """One undone edit forth; what was visited stays visited."""
    return history.redo().amended(lambda undone: _visited_as(undone, history.present))


def first_changed(one: Timeline, other: Timeline) -> int | None:
    """The first frame at which their keys or shots differ; None if frames look the same in both."""
    keys = set(one.keys) ^ set(other.keys)
    places = {key.frame for key in keys if not key.missing} | (set(one.cuts) ^ set(other.cuts))
    return min(places, default=None if one.default == other.default else 0)


def _visited_as(timeline: Timeline, other: Timeline) -> Timeline:
    return replace(timeline, visited=other.visited)


def _checked_name(name: str) -> str:
    try:
        return NAME.parse(name)
    except ValueRefused as refused:
        raise UsageError(f"the look's name {name!r} {refused}", "choose another name") from None


def _concerned(timeline: Timeline, frame: int, track: str) -> list[str]:
    """The tracks whose keys a change in a frame changes."""
    if track != ALL_FACES:
        return [track]
    return [*tracks_with_keys(timeline, first_of_shot(timeline, frame), frame + 1), ALL_FACES]


def _set(timeline: Timeline, frame: int, track: str, look: Look) -> Timeline:
    timeline = _with_own_keys(timeline, frame, track)
    span = span_at(timeline, frame, track)
    if span is not None and span.goes_on != HOLD:
        return _put(timeline, Key(frame, track, look, span.goes_on))
    return _hold(timeline, frame, frame + 1, track, look)


def _hold(timeline: Timeline, first: int, end: int, track: str, look: Look) -> Timeline:
    """A track's frames `first` to `end` - 1 with that look, without keys in between."""
    kept = _keeping_key(timeline, first, end, track)
    has_key = any(key.track == track and key.frame == first for key in timeline.keys)
    gone = [key for key in timeline.keys if key.track == track and first <= key.frame < end]
    changed = _without(timeline, gone)
    span = span_at(changed, first, track)
    if has_key or span is None or span.goes_on != HOLD or span.key.look != look:
        changed = _put(changed, Key(first, track, look))
    return changed if kept is None else _put(changed, kept)


def _keeping_key(timeline: Timeline, first: int, end: int, track: str) -> Key | None:
    """The key that a track needs behind `end` for frames to stay as they are when those from
    `first` to there are changed; None if it needs none."""
    ends = end_of_shot(timeline, first) if track != ALL_FACES else ENDLESS
    if end >= ends:
        return None
    span = span_at(timeline, end, track)
    if span is not None and span.key.frame == end:
        return None
    if span is not None and span.leads:
        return Key(end, track, span.look_at(end), span.goes_on)
    following = next_key(timeline, end, track)
    unchanged = next_visited(timeline, end)
    if unchanged >= min(ends, following.frame if following else ENDLESS):
        return None
    return Key(unchanged, track, look_at(timeline, unchanged, track))


def _with_own_keys(timeline: Timeline, frame: int, track: str) -> Timeline:
    """From `frame` on the track has keys of its own, with the looks that it has by those of all
    faces."""
    if track == ALL_FACES or span_at(timeline, frame, track) is not None:
        return timeline
    own = next_key(timeline, frame, track)
    end = min(end_of_shot(timeline, frame), own.frame if own else ENDLESS)
    span = span_at(timeline, frame, ALL_FACES)
    going = span.goes_on if span is not None else HOLD
    begins = Key(frame, track, look_at(timeline, frame, track), going)
    copies = [
        replace(key, track=track)
        for key in timeline.keys
        if key.track == ALL_FACES and frame < key.frame < end
    ]
    return _with(timeline, [begins, *copies])


def _spread(timeline: Timeline, source: int, first: int, end: int) -> Timeline:
    """Frames `first` to `end` - 1 with the looks of frame `source`: in its shot each face with its
    own, in other shots all with that of all faces."""
    changed = timeline
    for shot, shot_end in _shots(timeline, first, end):
        is_of_source = shot <= source < shot_end
        tracks = set(tracks_with_keys(timeline, shot, min(end, shot_end)))
        if is_of_source:
            tracks |= set(tracks_with_keys(timeline, shot, source + 1))
        begin, stop = max(first, shot), min(end, shot_end)
        for track in sorted(tracks):
            look = look_at(timeline, source, track if is_of_source else ALL_FACES)
            changed = _with_own_keys(changed, begin, track)
            changed = _hold(changed, begin, stop, track, look)
    return _hold(changed, first, end, ALL_FACES, look_at(timeline, source, ALL_FACES))


def _shots(timeline: Timeline, first: int, end: int) -> list[tuple[int, int]]:
    """First frame and end of the shots that have frames from `first` to `end` - 1."""
    bounds = [0, *timeline.cuts, ENDLESS]
    return [(one, other) for one, other in pairwise(bounds) if one < end and first < other]


def _put(timeline: Timeline, key: Key) -> Timeline:
    return _with(timeline, [key])


def _with(timeline: Timeline, added: list[Key]) -> Timeline:
    """With these keys; each takes the place of one that was the frame's own."""
    places = {key.place for key in added}
    kept = (key for key in timeline.keys if key.place not in places)
    return replace(timeline, keys=tuple(sorted((*kept, *added), key=lambda key: key.place)))


def _without(timeline: Timeline, gone: list[Key]) -> Timeline:
    if not gone:
        return timeline
    places = {key.place for key in gone}
    return replace(timeline, keys=tuple(key for key in timeline.keys if key.place not in places))
