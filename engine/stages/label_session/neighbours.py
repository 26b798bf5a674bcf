"""The faces around the shown one, small, with what is drawn on them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.faces.face_file import labels_mask, read_face_data, read_jpeg
from engine.media.images import ImageU8, decode_face_bgr_u8
from engine.protocol.errors import FacewrightError
from engine.protocol.events import Event, LabelsStrip
from engine.stages.merge_session.picture_files import PictureFiles

# A few screens of them, some 10 kB each.
KEPT_THUMBNAILS = 300
MASK_BGR = np.array((70, 190, 90), np.float32)
MASK_ALPHA = 0.45


@dataclass(frozen=True)
class Row:
    """The files of the faces from `first` on, `face` among them, and the side of each picture."""

    face: int
    first: int
    paths: tuple[Path, ...]
    side_px: int


class Neighbours:
    """Reads faces in a thread of its own and tells the row when it is whole. Use as a context."""

    def __init__(
        self, files: PictureFiles, tell: Callable[[Event], None], wake: Callable[[], None]
    ) -> None:
        self._files = files
        self._tell = tell
        self._wake = wake
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="neighbours")
        self._thumbnails: OrderedDict[tuple[Path, int, int], ImageU8] = OrderedDict()
        self._reading: Future[ImageU8] | None = None
        self._row: Row | None = None
        self._told: Row | None = None

    def __enter__(self) -> Neighbours:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def forget(self) -> None:
        """Tell the row again: a viewer came that has none, or labels changed."""
        self._told = None

    def show(self, row: Row) -> None:
        """Have this row made, and tell it when it is."""
        if self._reading is None and row != self._told:
            self._row = row
            self._reading = self._thread.submit(self._drawn, row)
            self._reading.add_done_callback(lambda _: self._wake())

    def collect(self) -> None:
        """Tell the row that has been made meanwhile."""
        if self._reading is None or self._row is None or not self._reading.done():
            return
        picture, self._reading, self._told = self._reading.result(), None, self._row
        self._tell(
            LabelsStrip(
                face=self._row.face,
                first=self._row.first,
                count=len(self._row.paths),
                thumb_width=self._row.side_px,
                path=str(self._files.write("strip", picture)),
                width=picture.shape[1],
                height=picture.shape[0],
            )
        )

    def _drawn(self, row: Row) -> ImageU8:
        picture = np.hstack([self._thumbnail(path, row.side_px) for path in row.paths])
        while len(self._thumbnails) > KEPT_THUMBNAILS:
            self._thumbnails.popitem(last=False)
        return picture

    def _thumbnail(self, path: Path, side_px: int) -> ImageU8:
        try:
            key = path, path.stat().st_mtime_ns, side_px
            if key not in self._thumbnails:
                self._thumbnails[key] = labelled_thumbnail(path, side_px)
        except (FacewrightError, OSError):
            return np.zeros((side_px, side_px, 3), np.uint8)  # told when it is shown
        self._thumbnails.move_to_end(key)
        return self._thumbnails[key]


def labelled_thumbnail(path: Path, side_px: int) -> ImageU8:
    """The face, `side_px` squared, its mask tinted. Raises `InputError`."""
    jpeg_bytes = read_jpeg(path)
    picture = decode_face_bgr_u8(jpeg_bytes, path)
    small = cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA)
    data = read_face_data(jpeg_bytes)
    if data is None or not data.seg_ie_polys:
        return np.asarray(small, np.uint8)
    mask = labels_mask(data, (picture.shape[0], picture.shape[1]))
    tint = cv2.resize(mask, (side_px, side_px), interpolation=cv2.INTER_AREA)[..., None]
    mixed = small + tint * MASK_ALPHA * (MASK_BGR - small)
    return np.asarray(mixed, np.uint8)
