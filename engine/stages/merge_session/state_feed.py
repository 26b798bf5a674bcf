"""Where the session stands, told when it changed, but not too often."""

from __future__ import annotations

import time

import msgspec

from engine.protocol.events import KeyMark, MergeState
from engine.protocol.stage import StageContext
from engine.protocol.timeline import Timeline
from engine.stages.merge_session.desk import Desk
from engine.stages.merge_session.rendered import RenderedFrames, SettingsOf

EVERY_S = 0.2
# Counting what is done takes time with many frames: at most this part of all time, and while keys
# are held only if it is this fast.
LARGEST_PART = 0.1
FAST_S = 0.01


class StateFeed:
    """Tells `MergeState`, and the run's progress with it."""

    def __init__(self, context: StageContext, rendered: RenderedFrames) -> None:
        self._context = context
        self._rendered = rendered
        self._told: MergeState | None = None
        self._next_at = float("-inf")
        self._is_late = False
        self._counted_for: tuple[object, ...] = ()
        self._done: tuple[int, ...] = ()
        self._count_s = 0.0

    def forget(self) -> None:
        """Tell all of it again: a viewer came that knows nothing."""
        self._told = None
        self._next_at = float("-inf")

    def due_in_s(self) -> float:
        """When there is something to tell that had to wait; 0 if there is not."""
        return max(0.001, self._next_at - time.monotonic()) if self._is_late else 0.0

    def tell(self, desk: Desk, settings_of: SettingsOf, *, rests: bool) -> None:
        """Tell the state if it is another than last time, and time to."""
        now = time.monotonic()
        if now < self._next_at:
            self._is_late = True
            return
        if rests or self._count_s < FAST_S:
            self._count(desk.timeline, settings_of)
        state = _state(desk, self._done)
        self._is_late = False
        if state == self._told:
            return
        self._told = state
        self._next_at = now + max(EVERY_S, self._count_s / LARGEST_PART)
        self._context.tell(msgspec.structs.replace(state))  # who sends it numbers and dates it
        self._context.progress(sum(self._done[1::2]), desk.frames)

    def _count(self, timeline: Timeline, settings_of: SettingsOf) -> None:
        wanted = (timeline.keys, timeline.cuts, timeline.default, self._rendered.version)
        if wanted == self._counted_for:
            return
        started = time.monotonic()
        self._done = self._rendered.runs(settings_of)
        self._counted_for = wanted
        self._count_s = time.monotonic() - started


def _state(desk: Desk, done: tuple[int, ...]) -> MergeState:
    timeline = desk.timeline
    return MergeState(
        frames=desk.frames,
        frame=desk.frame,
        done=done,
        keys=tuple(
            KeyMark(key.frame, key.track, key.goes_on) for key in timeline.keys if not key.missing
        ),
        shots=(0, *timeline.cuts),
        undo_depth=len(desk.history.past),
        redo_depth=len(desk.history.undone),
        names=tuple(name for name, _ in timeline.names),
        processing=desk.processing,
    )
