"""What each frame is composed by, by a timeline: as `merge` has it (`engine.stages.merge.looks`),
but for one frame at a time."""

from __future__ import annotations

from collections.abc import Sequence

from engine.merge.compose import RAW_PREDICT, FrameLooks, raw_square_px
from engine.protocol.look import Look
from engine.protocol.timeline import Key, Timeline
from engine.stages.merge_session.prepared import Settings


class FrameSettings:
    """tracks: of each frame's faces. resolution: the model's."""

    def __init__(self, tracks: Sequence[tuple[str, ...]], resolution: int) -> None:
        self._tracks = tracks
        self._resolution = resolution
        self._square_for: tuple[tuple[Key, ...], tuple[int, ...], Look] | None = None
        self._square_px = resolution

    def at(self, timeline: Timeline, number: int) -> Settings:
        """Those of that frame; equal ones give equal pictures."""
        looks = FrameLooks.at(timeline, number, self._tracks[number])
        square_px = self._square_of(timeline) if looks.is_raw_predict else 0
        if looks.faces:
            return Settings(FrameLooks(looks.faces[0], looks.faces), square_px)
        return Settings(FrameLooks(Look(mode=RAW_PREDICT) if square_px else Look(), ()), square_px)

    def _square_of(self, timeline: Timeline) -> int:
        """The side of all of raw-predict's squares; it depends on the looks of all frames."""
        wanted = timeline.keys, timeline.cuts, timeline.default
        if wanted != self._square_for:
            self._square_px = raw_square_px(self._used(timeline), self._resolution)
            self._square_for = wanted
        return self._square_px

    def _used(self, timeline: Timeline) -> set[Look]:
        return {
            look
            for number, tracks in enumerate(self._tracks)
            for look in FrameLooks.at(timeline, number, tracks).used
        }
