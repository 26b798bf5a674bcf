"""What each frame is composed by, by a timeline: as `merge` has it (`engine.stages.merge.looks`),
but for one frame at a time."""

from __future__ import annotations

from collections.abc import Sequence

from engine.merge.compose import RAW_PREDICT, FrameLooks, raw_square_px
from engine.merge.tracks import face_tracks
from engine.protocol.look import Look
from engine.protocol.timeline import Key, Timeline
from engine.stages.merge.plan import FrameJob
from engine.stages.merge_session.prepared import Settings


class FrameSettings:
    """frames: all in order. resolution: the model's."""

    def __init__(self, frames: Sequence[FrameJob], resolution: int) -> None:
        self._landmarks = [frame.landmarks for frame in frames]
        self._resolution = resolution
        self._tracks_for: tuple[int, ...] | None = None
        self._tracks: list[tuple[str, ...]] = []
        self._square_for: tuple[tuple[Key, ...], tuple[int, ...], Look] | None = None
        self._square_px = resolution

    def at(self, timeline: Timeline, number: int) -> Settings:
        """Those of that frame; equal ones give equal pictures."""
        tracks = self._tracks_in(timeline)[number]
        looks = FrameLooks.at(timeline, number, tracks)
        square_px = self._square_of(timeline) if looks.is_raw_predict else 0
        if looks.faces:  # only they count then
            return Settings(FrameLooks(looks.faces[0], looks.faces), square_px, tracks)
        return Settings(FrameLooks(Look(mode=RAW_PREDICT) if square_px else Look(), ()), square_px)

    def _tracks_in(self, timeline: Timeline) -> list[tuple[str, ...]]:
        """The track of each face of each frame; they depend on where shots begin."""
        if timeline.cuts != self._tracks_for:
            self._tracks = face_tracks(self._landmarks, timeline.cuts)
            self._tracks_for = timeline.cuts
        return self._tracks

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
            for number, tracks in enumerate(self._tracks_in(timeline))
            for look in FrameLooks.at(timeline, number, tracks).used
        }
