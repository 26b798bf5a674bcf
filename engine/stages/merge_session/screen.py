"""What viewers see of the shown frame: which picture is due, and telling it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from msgspec import structs

from engine.media.images import read_image_bgr_u8
from engine.merge.compose import ComposedFrame
from engine.protocol.errors import FacewrightError
from engine.protocol.events import Event, FaceBox, MergeShown
from engine.protocol.merge_commands import MergeView
from engine.protocol.timeline import look_at
from engine.stages.merge.plan import FrameJob
from engine.stages.merge_session.desk import Desk, Seat
from engine.stages.merge_session.drawing import Layers, Pixels, draw
from engine.stages.merge_session.frame_store import FrameStore, Unusable
from engine.stages.merge_session.painter import Composed, Painter
from engine.stages.merge_session.picture_files import PictureFiles
from engine.stages.merge_session.prepared import PreparedFrame, Settings
from engine.stages.merge_session.window import window_for

# At most this part of the frame's resolution while keys are held.
LARGEST_PROXY = 0.5
PREDICTING = "predicting"
# The size of the black picture that stands for a frame that cannot be read.
NO_FRAME_HW = (360, 640)

# How good the newest picture is: of the frame as it was, while there is nothing else; rough; as it
# is rendered.
WAITING, ROUGH, FULL = range(3)


@dataclass(frozen=True)
class _Seen:
    """The picture that a viewer has: of which frame, made from what was read of it when, in which
    settings, seen how, how good; and what was told with it."""

    frame: int
    source: object
    settings: Settings
    view: MergeView
    quality: int
    told: MergeShown

    def is_as_good(
        self, frame: int, source: object, settings: Settings, view: MergeView, quality: int
    ) -> bool:
        wanted = frame, settings, view
        return (
            (self.frame, self.settings, self.view) == wanted
            and self.source is source
            and self.quality >= quality
        )


@dataclass(frozen=True)
class _Scene:
    """What a picture is made of."""

    layers: Layers
    faces: tuple[FaceBox, ...]
    frame_wh: tuple[int, int]
    note: str = ""


class Screen:
    """Tells each viewer pictures of the shown frame: a rough one at once, a full one when it is
    there.

    tell: sends an event to the viewer of a number. frame_wh: the size of the frame told last.
    asked_at: when the newest command came.
    """

    def __init__(
        self,
        jobs: Sequence[FrameJob],
        frames: FrameStore[PreparedFrame],
        painter: Painter,
        files: PictureFiles,
        tell: Callable[[Event, int], None],
    ) -> None:
        self._jobs = jobs
        self._frames = frames
        self._painter = painter
        self._files = files
        self._tell = tell
        self._seen: dict[int, _Seen] = {}
        self.frame_wh = NO_FRAME_HW[::-1]
        self.asked_at = time.monotonic()

    def forget(self, viewer: int) -> None:
        """That viewer went."""
        if self._seen.pop(viewer, None) is not None:
            self._files.forget(_kind(viewer))

    def shows(self, frame: int) -> bool:
        """Whether a viewer has a picture of that frame in a look."""
        return any(seen.frame == frame and seen.quality > WAITING for seen in self._seen.values())

    def show(self, desk: Desk, settings: Settings, *, rests: bool) -> Composed | None:
        """Bring what viewers see up to date as far as it can be by now. Returns the shown frame if
        it is composed in full.

        rests: no command came lately, so that there is time for more than a rough picture.
        """
        prepared = self._frames.get(desk.frame)
        if isinstance(prepared, Unusable):
            self._pictures(desk, prepared, settings, FULL, lambda _: _unreadable(prepared.error))
            return None
        if prepared is None:
            if rests:
                self._pictures(desk, None, settings, WAITING, lambda _: self._as_it_was(desk.frame))
            return None
        composed = self._painter.in_full(prepared, settings)
        if composed is None:
            self._pictures(
                desk,
                prepared,
                settings,
                ROUGH,
                lambda view: self._rough(desk, view, prepared, settings),
            )
            if rests:
                self._painter.begin_full(prepared, settings)
            return None
        self._frames.measure(desk.frame)  # nets may have been asked for it
        self._pictures(
            desk, prepared, settings, FULL, lambda _: _full(prepared, composed, settings)
        )
        return composed

    def _pictures(
        self,
        desk: Desk,
        source: object,
        settings: Settings,
        quality: int,
        scene_for: Callable[[MergeView], _Scene | None],
    ) -> None:
        """Tell every viewer its scene, but those who have it as good or better: these are told what
        was answered since."""
        for viewer, seat in desk.seats.items():
            seen = self._seen.get(viewer)
            if seen and seen.is_as_good(desk.frame, source, settings, seat.view, quality):
                self._tell_answered(desk, viewer, seat, seen.told)
            elif scene := scene_for(seat.view):
                told = self._told_scene(desk, viewer, seat, scene, quality)
                self._seen[viewer] = _Seen(desk.frame, source, settings, seat.view, quality, told)

    def _tell_answered(self, desk: Desk, viewer: int, seat: Seat, told: MergeShown) -> None:
        if told.answered < seat.answered:
            told.answered = seat.answered
            told.look = asdict(look_at(desk.timeline, desk.frame, seat.view.track))
            self._tell(structs.replace(told), viewer)  # who sends it numbers and dates it

    def _told_scene(
        self, desk: Desk, viewer: int, seat: Seat, scene: _Scene, quality: int
    ) -> MergeShown:
        view, self.frame_wh = seat.view, scene.frame_wh
        window = window_for(view, scene.frame_wh, scene.faces)
        picture = draw(scene.layers, view, window, scene.frame_wh)
        shown = MergeShown(
            frame=desk.frame,
            name=self._jobs[desk.frame].path.name,
            path=str(self._files.write(_kind(viewer), picture)),
            view=view.view,
            width=picture.shape[1],
            height=picture.shape[0],
            frame_width=scene.frame_wh[0],
            frame_height=scene.frame_wh[1],
            crop=window.crop,
            look=asdict(look_at(desk.timeline, desk.frame, view.track)),
            answered=seat.answered,
            proxy=quality != FULL,
            faces=scene.faces,
            note=scene.note,
            ms=round((time.monotonic() - self.asked_at) * 1000, 1),
        )
        self._tell(structs.replace(shown), viewer)
        return shown

    def _as_it_was(self, frame: int) -> _Scene:
        try:
            picture = read_image_bgr_u8(self._jobs[frame].path)
        except FacewrightError as error:
            return _unreadable(error)
        return _unmerged(picture, (), PREDICTING)

    def _rough(
        self, desk: Desk, view: MergeView, prepared: PreparedFrame, settings: Settings
    ) -> _Scene | None:
        """None if no rough picture can be made."""
        faces = prepared.faces(settings.tracks)
        if view.view == "original":
            return _unmerged(prepared.frame_bgr_u8, faces, "")
        largest = max(  # one for all viewers
            window_for(seat.view, prepared.frame_wh, faces).scale for seat in desk.seats.values()
        )
        composed = self._painter.rough(prepared, settings, min(LARGEST_PROXY, largest))
        if composed is None:
            return None
        return _Scene(_layers(composed, prepared, settings), faces, prepared.frame_wh)


def _kind(viewer: int) -> str:
    return f"shown-{viewer}"


def _full(prepared: PreparedFrame, composed: Composed, settings: Settings) -> _Scene:
    faces = prepared.faces(settings.tracks)
    if composed.frame is None:
        reason = composed.error.message if composed.error else ""
        return _unmerged(prepared.frame_bgr_u8, faces, reason)
    return _Scene(_layers(composed.frame, prepared, settings), faces, prepared.frame_wh)


def _layers(composed: ComposedFrame, prepared: PreparedFrame, settings: Settings) -> Layers:
    is_raw = settings.looks.is_raw_predict
    result = composed.image_bgr_u8
    original = prepared.original_square(len(result)) if is_raw else prepared.frame_bgr_u8
    return Layers(result, original, composed.mask_u8, covers_frame=not is_raw)


def _unmerged(picture: Pixels, faces: tuple[FaceBox, ...], note: str) -> _Scene:
    height, width = picture.shape[:2]
    no_mask = np.zeros((height, width), np.uint8)
    return _Scene(Layers(picture, picture, no_mask), faces, (width, height), note)


def _unreadable(error: FacewrightError) -> _Scene:
    return _unmerged(np.zeros((*NO_FRAME_HW, 3), np.uint8), (), error.message)
