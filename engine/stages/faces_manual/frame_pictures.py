"""The frames around the shown one, read ahead, and the shown one's picture for viewers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.detect.detection import ImageBgrU8
from engine.media.images import read_image_bgr_u8
from engine.protocol.events import Event, ManualShown
from engine.stages.merge_session.frame_store import FrameStore, Unusable
from engine.stages.merge_session.picture_files import PictureFiles

# Frames of an 8K video take 100 MB each; the shown one is there in any case.
LIMIT_BYTES = 300_000_000
AHEAD, BEHIND = 2, 1


@dataclass(frozen=True, eq=False)
class ReadFrame:
    """A frame as read."""

    image_bgr_u8: ImageBgrU8

    @property
    def bytes_held(self) -> int:
        return self.image_bgr_u8.nbytes


class FramePictures:
    """Use `close` at the end. wake: called when a frame was read."""

    def __init__(
        self,
        paths: Sequence[Path],
        files: PictureFiles,
        tell: Callable[[Event], None],
        wake: Callable[[], None],
    ) -> None:
        self._paths = paths
        self._files = files
        self._tell = tell
        self._told: int | None = None
        self._store = FrameStore(self._read, LIMIT_BYTES, wake)

    def want(self, frame: int) -> None:
        """That frame is shown now: it comes first, then those that may be next."""
        ahead = range(frame, min(frame + AHEAD + 1, len(self._paths)))
        self._store.want([*ahead, *range(max(0, frame - BEHIND), frame)])

    def image(self, frame: int) -> ImageBgrU8 | None:
        """The frame, (h, w, 3) uint8 BGR; None while it is not read, or cannot be."""
        read = self._store.get(frame)
        return read.image_bgr_u8 if isinstance(read, ReadFrame) else None

    def is_awaited(self, frame: int) -> bool:
        """It is neither read nor known to be unreadable."""
        return self._store.get(frame) is None

    def forget(self) -> None:
        """Tell the shown frame again: a viewer came that has none."""
        self._told = None

    def tell(self, frame: int) -> None:
        """Have viewers show the frame, once, when it is read. Raises `InputError` if its picture
        cannot be written."""
        read = self._store.get(frame)
        if read is None or frame == self._told:
            return
        self._told = frame
        shown = ManualShown(frame=frame, name=self._paths[frame].name, path="", width=0, height=0)
        if isinstance(read, Unusable):
            shown.problem = read.error.message
        else:
            shown.height, shown.width = read.image_bgr_u8.shape[:2]
            shown.path = str(self._files.write("frame", read.image_bgr_u8))
        self._tell(shown)

    def close(self) -> None:
        self._store.close()

    def _read(self, frame: int) -> ReadFrame:
        return ReadFrame(read_image_bgr_u8(self._paths[frame]))
