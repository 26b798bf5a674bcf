"""What a session is about, as a value, and what each command makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import structs

from engine.protocol import merge_commands as commands
from engine.protocol import timeline_edits as edits
from engine.protocol.commands import ViewerLeft
from engine.protocol.errors import UsageError
from engine.protocol.merge_commands import MergeView, SessionCommand
from engine.protocol.options import ValueRefused
from engine.protocol.timeline import ALL_FACES, Timeline, look_at
from engine.protocol.timeline_file import TRACK
from engine.protocol.undo import History
from engine.stages.merge_session.window import checked_view

# Changes of the same fields of a frame that follow each other as fast as this are undone together:
# a key that is held, or struck again and again on the way to a value.
SAME_STEP_S = 0.7


@dataclass(frozen=True)
class Edited:
    """What was changed last, and when, to know whether the next change belongs to it."""

    frame: int
    track: str
    fields: frozenset[str]
    at_s: float


@dataclass(frozen=True)
class Seat:
    """What a viewer wants to see, and the newest of its commands (`SessionCommand.seq`)."""

    view: MergeView
    answered: int = 0


@dataclass(frozen=True)
class Desk:
    """The looks and their history, the frame that is shown, and who looks at it.

    seats: of the viewers, by their numbers. processing: the rest is to be rendered.
    """

    frames: int
    history: History[Timeline]
    frame: int = 0
    seats: Mapping[int, Seat] = field(default_factory=dict)
    processing: bool = False
    edited: Edited | None = None

    @property
    def timeline(self) -> Timeline:
        return self.history.present

    def changed(self, timeline: Timeline, *, is_same_step: bool = False) -> Desk:
        """After an edit, which ends the rendering of the rest (pipeline specification 9.3)."""
        history = self.history.changed(timeline, is_same_step=is_same_step)
        return replace(self, history=history, processing=False, edited=None)

    def with_cuts(self, cuts: tuple[int, ...]) -> Desk:
        """With the shots that were found meanwhile, also before any edit that is undone; where
        somebody has cut shots, these stay."""

        def cut(timeline: Timeline) -> Timeline:
            return timeline if timeline.cuts else edits.set_cuts(timeline, cuts)

        states = self.history
        return replace(
            self,
            history=History(
                cut(states.present), tuple(map(cut, states.past)), tuple(map(cut, states.undone))
            ),
        )

    def answered(self, command: SessionCommand) -> Desk:
        """After that command was carried out or refused."""
        seat = self.seats.get(command.sender)
        if seat is None:
            return self
        seat = replace(seat, answered=max(seat.answered, command.seq))
        return replace(self, seats={**self.seats, command.sender: seat})

    def without(self, left: ViewerLeft) -> Desk:
        """After that viewer went."""
        seats = {number: seat for number, seat in self.seats.items() if number != left.sender}
        return replace(self, seats=seats)

    def amended(self, change: Callable[[Timeline], Timeline]) -> Desk:
        """With facts about frames that are no edit."""
        return replace(self, history=self.history.amended(change))


def carry_out(desk: Desk, command: commands.MergeCommand, now_s: float) -> Desk:
    """The desk after a command. Raises `UsageError` for what is not possible; `now_s` counts up."""
    _require_track(getattr(command, "track", ALL_FACES))
    return _RULES[type(command)](desk, command, now_s)


def _view(desk: Desk, view: MergeView, _: float) -> Desk:
    plain = structs.replace(checked_view(view), seq=0, sender=0)  # equal ones show the same
    before = desk.seats.get(view.sender)
    seat = Seat(plain, before.answered if before else 0)
    return replace(desk, seats={**desk.seats, view.sender: seat})


def _go(desk: Desk, go: commands.MergeGo, _: float) -> Desk:
    return replace(desk, frame=_known(desk, go.frame), processing=False, edited=None)


def _edit(desk: Desk, edit: commands.MergeEdit, now_s: float) -> Desk:
    frame = _known(desk, edit.frame)
    timeline = edits.set_look(desk.timeline, frame, edit.changes, edit.track)
    edited = Edited(frame, edit.track, frozenset(edit.changes), now_s)
    changed = desk.changed(timeline, is_same_step=_belongs_together(desk.edited, edited))
    return replace(changed, frame=frame, edited=edited)


def _belongs_together(before: Edited | None, now: Edited) -> bool:
    return (
        before is not None
        and now.at_s - before.at_s < SAME_STEP_S
        and replace(before, at_s=now.at_s) == now
    )


def _copy(desk: Desk, copy: commands.MergeCopy, _: float) -> Desk:
    frame, last = _known(desk, copy.frame), desk.frames - 1
    if copy.to in ("previous", "before") and frame == 0:
        raise UsageError("there is no frame before the first one", "nothing was copied")
    if copy.to in ("next", "after") and frame == last:
        raise UsageError("there is no frame after the last one", "nothing was copied")
    change, goes_to = {
        "previous": (edits.copy_to_previous, frame - 1),
        "next": (edits.copy_to_next, frame + 1),
        "before": (edits.copy_to_all_before, 0),
        "after": (edits.copy_to_all_after, last),
    }[copy.to]
    return replace(desk.changed(change(desk.timeline, frame)), frame=goes_to)


def _key(desk: Desk, key: commands.MergeKey, _: float) -> Desk:
    frame, timeline = _known(desk, key.frame), desk.timeline
    if key.action == "add":
        timeline = edits.add_key(timeline, frame, key.goes_on, key.track)
    elif key.action == "remove":
        timeline = edits.remove_key(timeline, frame, key.track)
    else:
        timeline = edits.move_key(timeline, frame, _known(desk, key.to), key.track)
    return replace(desk.changed(timeline), frame=key.to if key.action == "move" else frame)


def _shot(desk: Desk, shot: commands.MergeShot, _: float) -> Desk:
    frame, timeline = _known(desk, shot.frame), desk.timeline
    if shot.action == "start":
        timeline = edits.set_shot_default(timeline, frame, look_at(timeline, frame))
    elif shot.action == "fill":
        timeline = edits.copy_to_shot(timeline, frame)
    elif shot.action == "cut":
        timeline = edits.set_cuts(timeline, {*timeline.cuts, frame})
    else:
        timeline = edits.set_cuts(timeline, set(timeline.cuts) - {frame})
    return replace(desk.changed(timeline), frame=frame)


def _undo(desk: Desk, _: commands.MergeUndo, __: float) -> Desk:
    return _restored(desk, edits.undo(desk.history))


def _redo(desk: Desk, _: commands.MergeRedo, __: float) -> Desk:
    return _restored(desk, edits.redo(desk.history))


def _restored(desk: Desk, history: History[Timeline]) -> Desk:
    """With another state of the timeline, at the frame that it changes."""
    changed = edits.first_changed(desk.timeline, history.present)
    frame = desk.frame if changed is None else min(changed, desk.frames - 1)
    return replace(desk, history=history, frame=frame, processing=False, edited=None)


def _named(desk: Desk, named: commands.MergeNamed, _: float) -> Desk:
    frame, timeline = _known(desk, named.frame), desk.timeline
    if named.action == "save":
        timeline = edits.save_name(timeline, named.name, look_at(timeline, frame, named.track))
    elif named.action == "apply":
        timeline = edits.apply_name(timeline, frame, named.name, named.track)
    else:
        timeline = edits.delete_name(timeline, named.name)
    return replace(desk.changed(timeline), frame=frame)


def _process(desk: Desk, process: commands.MergeProcess, _: float) -> Desk:
    return replace(desk, processing=process.on)


def _require_track(track: str) -> None:
    try:
        TRACK.parse(track)
    except ValueRefused as refused:
        raise UsageError(
            f"the track {track!r} {refused}", "tracks are told with the faces"
        ) from None


def _known(desk: Desk, frame: int) -> int:
    if not 0 <= frame < desk.frames:
        raise UsageError(
            f"there is no frame number {frame}", f"frames are numbered 0 to {desk.frames - 1}"
        )
    return frame


# Each rule takes the commands of its own type only.
_RULES: dict[type[Any], Callable[[Desk, Any, float], Desk]] = {
    commands.MergeView: _view,
    commands.MergeGo: _go,
    commands.MergeEdit: _edit,
    commands.MergeCopy: _copy,
    commands.MergeKey: _key,
    commands.MergeShot: _shot,
    commands.MergeUndo: _undo,
    commands.MergeRedo: _redo,
    commands.MergeNamed: _named,
    commands.MergeProcess: _process,
}
