"""The neighbours of the shown frame as small pictures in a row."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import FacewrightError
from engine.protocol.events import Event, MergeStrip
from engine.stages.merge_session.drawing import Pixels, thumbnail
from engine.stages.merge_session.frame_store import Wake
from engine.stages.merge_session.picture_files import PictureFiles
from engine.stages.merge_session.prepared import Settings

# A few screens of thumbnails, 100 kB each at most.
KEPT_THUMBNAILS = 200


@dataclass(frozen=True)
class Row:
    """The pictures of a row: files of the frames from `first` on, the settings by which they were
    made, and the size of each thumbnail."""

    frame: int
    first: int
    paths: tuple[Path, ...]
    settings: tuple[Settings, ...]
    size_wh: tuple[int, int]


class Strip:
    """Reads neighbours in a thread of its own and tells the row when it is whole."""

    def __init__(self, files: PictureFiles, tell: Callable[[Event, int], None], wake: Wake) -> None:
        self._files = files
        self._tell = tell
        self._wake = wake
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="strip")
        self._thumbnails: OrderedDict[tuple[Path, int, tuple[int, int]], Pixels] = OrderedDict()
        self._reading: Future[Pixels] | None = None
        self._begun: tuple[int, Row] | None = None
        self._told: dict[int, Row] = {}

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def forget(self, viewer: int) -> None:
        """That viewer went."""
        if self._begun is not None and self._begun[0] == viewer:
            self._begun = None
        if self._told.pop(viewer, None) is not None:
            self._files.forget(_kind(viewer))

    def show(self, viewer: int, row: Row) -> None:
        """Have this row made for a viewer, unless another one is under way; it is told when it
        is."""
        if self._reading is None and row != self._told.get(viewer):
            self._begun = viewer, row
            self._reading = self._thread.submit(self._drawn, row)
            self._reading.add_done_callback(lambda _: self._wake())

    def collect(self) -> None:
        """Tell the row that has been made meanwhile."""
        if self._reading is None or not self._reading.done():
            return
        picture, self._reading = self._reading.result(), None
        if self._begun is None:
            return
        viewer, row = self._begun
        self._told[viewer] = row
        strip = MergeStrip(
            frame=row.frame,
            first=row.first,
            count=len(row.paths),
            thumb_width=row.size_wh[0],
            path=str(self._files.write(_kind(viewer), picture)),
            width=picture.shape[1],
            height=picture.shape[0],
        )
        self._tell(strip, viewer)

    def _drawn(self, row: Row) -> Pixels:
        picture = np.hstack([self._thumbnail(path, row) for path in row.paths])
        while len(self._thumbnails) > KEPT_THUMBNAILS:
            self._thumbnails.popitem(last=False)
        return picture

    def _thumbnail(self, path: Path, row: Row) -> Pixels:
        try:
            key = path, path.stat().st_mtime_ns, row.size_wh
            if key not in self._thumbnails:
                self._thumbnails[key] = thumbnail(read_image_bgr_u8(path), row.size_wh)
        except (FacewrightError, OSError):
            return np.zeros((row.size_wh[1], row.size_wh[0], 3), np.uint8)  # told when it is shown
        self._thumbnails.move_to_end(key)
        return self._thumbnails[key]


def _kind(viewer: int) -> str:
    return f"strip-{viewer}"
