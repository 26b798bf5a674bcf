"""What viewers see of the shown frame: which picture is due, and telling it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from engine.media.images import read_image_bgr_u8
from engine.merge.compose import ComposedFrame
from engine.protocol.errors import FacewrightError
from engine.protocol.events import Event, FaceBox, MergeShown
from engine.protocol.timeline import look_at
from engine.stages.merge.plan import FrameJob
from engine.stages.merge_session.desk import Desk
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
    """The picture that viewers have: of which frame, in which settings, seen how, how good."""

    frame: int
    settings: Settings
    view: object
    answered: int
    quality: int


@dataclass(frozen=True)
class _Scene:
    """What a picture is made of."""

    layers: Layers
    faces: tuple[FaceBox, ...]
    frame_wh: tuple[int, int]
    note: str = ""


class Screen:
    """Tells pictures of the shown frame: a rough one at once, a full one when it is there.

    frame_wh: the size of the frame told last. asked_at: when the newest command came.
    """

    def __init__(
        self,
        jobs: Sequence[FrameJob],
        frames: FrameStore[PreparedFrame],
        painter: Painter,
        files: PictureFiles,
        tell: Callable[[Event], None],
    ) -> None:
        self._jobs = jobs
        self._frames = frames
        self._painter = painter
        self._files = files
        self._tell = tell
        self._seen: _Seen | None = None
        self.frame_wh = NO_FRAME_HW[::-1]
        self.asked_at = time.monotonic()

    def forget(self) -> None:
        """Tell the picture again: a viewer came that has none."""
        self._seen = None

    def shows(self, frame: int) -> bool:
        """Whether viewers have a picture of that frame in a look."""
        return self._seen is not None and self._seen.frame == frame and self._seen.quality > WAITING

    def show(self, desk: Desk, settings: Settings, *, rests: bool) -> Composed | None:
        """Bring what viewers see up to date as far as it can be by now. Returns the shown frame if
        it is composed in full.

        rests: no command came lately, so that there is time for more than a rough picture.
        """
        prepared = self._frames.get(desk.frame)
        if isinstance(prepared, Unusable):
            self._picture(desk, settings, FULL, lambda: _unreadable(prepared.error))
            return None
        if prepared is None:
            if rests:
                self._picture(desk, settings, WAITING, lambda: self._as_it_was(desk.frame))
            return None
        composed = self._painter.in_full(prepared, settings)
        if composed is None:
            self._picture(desk, settings, ROUGH, lambda: self._rough(desk, prepared, settings))
            if rests or self._painter.is_slow(prepared, settings):
                self._painter.begin_full(prepared, settings)
            return None
        self._frames.measure(desk.frame)  # nets may have been asked for it
        self._picture(desk, settings, FULL, lambda: _full(prepared, composed, settings))
        return composed

    def _picture(
        self, desk: Desk, settings: Settings, quality: int, scene: Callable[[], _Scene | None]
    ) -> None:
        """Tell the scene, unless viewers have it as good or better."""
        seen = _Seen(desk.frame, settings, desk.view, desk.answered, quality)
        if self._seen is not None and _is_as_good(self._seen, seen):
            return
        made = scene()
        if made is None:
            return
        self._seen = seen
        self._tell_scene(desk, made, quality)

    def _tell_scene(self, desk: Desk, scene: _Scene, quality: int) -> None:
        view, self.frame_wh = desk.view, scene.frame_wh
        window = window_for(view, scene.frame_wh, scene.faces)
        picture = draw(scene.layers, view, window, scene.frame_wh)
        path = self._files.write("shown", picture)
        self._tell(
            MergeShown(
                frame=desk.frame,
                name=self._jobs[desk.frame].path.name,
                path=str(path),
                view=view.view,
                width=picture.shape[1],
                height=picture.shape[0],
                frame_width=scene.frame_wh[0],
                frame_height=scene.frame_wh[1],
                crop=window.crop,
                look=asdict(look_at(desk.timeline, desk.frame, view.track)),
                answered=desk.answered,
                proxy=quality != FULL,
                faces=scene.faces,
                note=scene.note,
                ms=round((time.monotonic() - self.asked_at) * 1000, 1),
            )
        )

    def _as_it_was(self, frame: int) -> _Scene:
        try:
            picture = read_image_bgr_u8(self._jobs[frame].path)
        except FacewrightError as error:
            return _unreadable(error)
        return _unmerged(picture, (), PREDICTING)

    def _rough(self, desk: Desk, prepared: PreparedFrame, settings: Settings) -> _Scene | None:
        """None where a rough picture takes as long as a full one, or none can be made."""
        faces = prepared.faces(settings.tracks)
        if desk.view.view == "original":
            return _unmerged(prepared.frame_bgr_u8, faces, "")
        window = window_for(desk.view, prepared.frame_wh, faces)
        composed = self._painter.rough(prepared, settings, min(LARGEST_PROXY, window.scale))
        if composed is None:
            return None
        return _Scene(_layers(composed, prepared, settings), faces, prepared.frame_wh)


def _is_as_good(have: _Seen, wanted: _Seen) -> bool:
    same = (have.frame, have.settings, have.view, have.answered) == (
        wanted.frame,
        wanted.settings,
        wanted.view,
        wanted.answered,
    )
    return same and have.quality >= wanted.quality


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
