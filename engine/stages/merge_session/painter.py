"""The shown frame by its settings: rough at once while keys are held, in full when they rest."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from engine.media.colour_transfer import SLOW
from engine.merge.compose import ComposedFrame
from engine.merge.face_nets import FaceNets
from engine.protocol.errors import FacewrightError
from engine.stages.merge_session.frame_store import Wake
from engine.stages.merge_session.prepared import PreparedFrame, Settings, Workpiece

# Composing in full at every key is fast enough below this; a picture in 0.1 s leaves room for
# drawing, sending and showing it.
FAST_S = 0.04
# Of an estimate, the part that the newest measurement makes up.
NEWEST_PART = 0.5


@dataclass(frozen=True, eq=False)
class Composed:
    """A frame by its settings in full quality; or why it cannot be had."""

    prepared: PreparedFrame
    settings: Settings
    frame: ComposedFrame | None
    error: FacewrightError | None = None


class Painter:
    """Composes one frame at a time, twice: here and now, or in full in a thread of its own."""

    def __init__(self, nets: FaceNets, wake: Wake) -> None:
        self._nets = nets
        self._wake = wake
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="full")
        self._under_way: Future[tuple[Composed, float]] | None = None
        self._newest: Composed | None = None
        self._full_s = float("inf")
        self._full: Workpiece | None = None
        self._rough: Workpiece | None = None

    def close(self) -> None:
        """End the thread, after the frame that it is at."""
        self._thread.shutdown(cancel_futures=True)

    def in_full(self, prepared: PreparedFrame, settings: Settings) -> Composed | None:
        """The frame by these settings, if it is composed or fast to compose."""
        if self._under_way is not None:
            if not self._under_way.done():
                return None
            finished, self._under_way = self._under_way, None
            self._take(*finished.result())
        newest = self._newest
        if newest is not None and (newest.prepared, newest.settings) == (prepared, settings):
            return newest
        if self._full_s > FAST_S or self._is_slow(prepared, settings):
            return None
        return self._take(*self._composed(self._workpiece(prepared), settings))

    def begin_full(self, prepared: PreparedFrame, settings: Settings) -> None:
        """Compose in full, unless another frame is under way; `wake` is called at its end."""
        if self._under_way is None:
            workpiece = self._workpiece(prepared)
            self._under_way = self._thread.submit(self._composed, workpiece, settings)
            self._under_way.add_done_callback(lambda _: self._wake())

    def _is_slow(self, prepared: PreparedFrame, settings: Settings) -> bool:
        """Whether these settings take long in full, however fast those before were."""
        return prepared.lacks(settings.looks) or any(
            look.color_transfer_mode in SLOW or look.color_degrade_power
            for look in settings.looks.faces
        )

    def rough(
        self, prepared: PreparedFrame, settings: Settings, scale: float
    ) -> ComposedFrame | None:
        """The frame at a part of its resolution, without what nets must be asked for. None if it
        cannot be composed, which the full one will tell why."""
        settings = replace(settings, looks=prepared.without_lacking(settings.looks))
        if self._rough is None or (self._rough.prepared, self._rough.scale) != (prepared, scale):
            self._rough = Workpiece(prepared, scale)
        try:
            return self._rough.composed(settings)
        except FacewrightError:
            return None

    def _workpiece(self, prepared: PreparedFrame) -> Workpiece:
        if self._full is None or self._full.prepared is not prepared:
            self._full = Workpiece(prepared)
        return self._full

    def _composed(self, workpiece: Workpiece, settings: Settings) -> tuple[Composed, float]:
        prepared = workpiece.prepared
        started = time.monotonic()
        try:
            if prepared.lacks(settings.looks):
                prepared.ask_nets(settings.looks, self._nets)
            composed = Composed(prepared, settings, workpiece.composed(settings))
        except FacewrightError as error:
            composed = Composed(prepared, settings, None, error)
        return composed, time.monotonic() - started

    def _take(self, composed: Composed, seconds: float) -> Composed:
        known_s = self._full_s if self._full_s < float("inf") else seconds
        self._full_s = known_s + (seconds - known_s) * NEWEST_PART
        self._newest = composed
        return composed
