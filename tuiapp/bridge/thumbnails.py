"""Small square pictures of faces: decoded small, kept on disk by what they were made of.

Runs in threads. Everything here may be deleted at any time; it is made again.
"""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine.protocol.errors import FacewrightError, InputError
from engine.protocol.files import write_atomically
from engine.protocol.workspace import Side, make_folder
from tuiapp.bridge.face_fields import Face
from tuiapp.bridge.face_folder import read_face_file
from tuiapp.graphics.decode import MAX_PICTURE_PIXELS

U8 = NDArray[np.uint8]
THUMB_EDGE_PX = 128  # as sharp as a contact sheet's largest tiles; 5 kB each on disk
JPEG_QUALITY = 85
MAX_KEPT_BYTES = 256 << 10
# Pillow reports damaged files by any of these.
UNREADABLE = (
    *(UnidentifiedImageError, Image.DecompressionBombError),
    *(OSError, SyntaxError, ValueError),
)
# 256 folders of at most so many: half a million thumbnails, about 2.5 GB, at the very most.
MAX_PER_FOLDER = 2048


class Thumbnails:
    """The thumbnails of a side's faces, kept under `folder`."""

    def __init__(self, folder: Path, side: Side) -> None:
        self._folder = folder
        self._side = side
        self._counts: dict[str, int] = {}
        self.not_kept = ""  # why thumbnails cannot be kept on disk; they are made anew each time

    def get(self, face: Face) -> U8:
        """(128, 128, 3) uint8 RGB. Raises InputError where the file is gone or no picture."""
        kept = self._path(face)
        thumb = _read_kept(kept)
        if thumb is None:
            thumb = small_square(read_face_file(self._side, face), face.name)
            if not self.not_kept:
                self._keep(kept, thumb)
        return thumb

    def _path(self, face: Face) -> Path:
        made_of = f"{self._side.aligned}\0{face.key}\0{THUMB_EDGE_PX}"
        name = hashlib.blake2b(made_of.encode(errors="surrogateescape"), digest_size=12).hexdigest()
        return self._folder / name[:2] / f"{name}.jpg"

    def _keep(self, path: Path, thumb: U8) -> None:
        encoded = BytesIO()
        Image.fromarray(thumb).save(encoded, "JPEG", quality=JPEG_QUALITY)
        try:
            self._make_room(make_folder(path.parent))
            write_atomically(path, encoded.getvalue(), durable=False)
        except (FacewrightError, OSError) as error:
            self.not_kept = str(error)

    def _make_room(self, folder: Path) -> None:
        """Drops the older half of a folder that is full."""
        count = self._counts.get(folder.name)
        if count is None:
            count = sum(1 for _ in folder.iterdir())
        if count >= MAX_PER_FOLDER:
            with os.scandir(folder) as entries:
                oldest = sorted(entries, key=lambda entry: entry.stat().st_mtime_ns)
            for entry in oldest[: count // 2]:
                Path(entry.path).unlink(missing_ok=True)
            count -= count // 2
        self._counts[folder.name] = count + 1


def _read_kept(path: Path) -> U8 | None:
    """None if there is none, or not a whole one: it is made again."""
    try:
        if path.stat().st_size > MAX_KEPT_BYTES:
            return None
        with Image.open(BytesIO(path.read_bytes()), formats=("JPEG",)) as image:
            if image.size != (THUMB_EDGE_PX, THUMB_EDGE_PX):
                return None
            return np.asarray(image.convert("RGB"))
    except UNREADABLE:
        return None


def small_square(encoded: bytes, name: str) -> U8:
    """A picture file as (128, 128, 3) uint8 RGB, as large as it fits, black around it. Raises
    InputError, naming it. JPEGs are decoded at an eighth to the full size, whichever is just
    enough."""
    try:
        with Image.open(BytesIO(encoded), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MAX_PICTURE_PIXELS:
                raise InputError(f"{name}: {image.width}x{image.height} pixels", "is it a face?")
            image.draft("RGB", (THUMB_EDGE_PX, THUMB_EDGE_PX))
            return _squared(image.convert("RGB"))
    except UNREADABLE as error:
        raise InputError(f"{name}: no readable picture", "mark it and press x") from error


def _squared(image: Image.Image) -> U8:
    edge = THUMB_EDGE_PX
    scale = edge / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    canvas = Image.new("RGB", (edge, edge))
    canvas.paste(small, ((edge - size[0]) // 2, (edge - size[1]) // 2))
    return np.asarray(canvas)
