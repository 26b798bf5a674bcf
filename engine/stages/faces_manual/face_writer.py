"""Face files of frames whose faces were placed by hand, written when they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.detect.detection import BoxLtrb, ImageBgrU8, PointsXY
from engine.faces.face_file import read_face_data, write_face
from engine.protocol.errors import FacewrightError, InputError
from engine.protocol.files import disk_error
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import FACE_SUFFIXES, Side, make_folder
from engine.stages.faces_extract.face_cut import cut_face, write_debug_picture
from engine.stages.faces_manual.settings import ManualSettings


@dataclass(frozen=True)
class FaceWriter:
    """Writes into `aligned` and `aligned_debug`; what is replaced stays in the trash."""

    side: Side
    settings: ManualSettings
    trash: TrashCopies

    def write(
        self, frame: Path, image_bgr_u8: ImageBgrU8, points: PointsXY, path: Path | None
    ) -> Path:
        """The frame's first face, with these landmarks, in `path` (that of the one it replaces), or
        in `FRAME_0.jpg`; and the debug picture. Returns where.

        Raises `InputError` for landmarks that no face can have, and when the disk is full: the face
        file is then as it was.
        """
        picture, data = cut_face(
            image_bgr_u8, frame.name, points, box_around(points), self.settings.crop
        )
        make_folder(self.side.aligned)
        target = path or self.side.aligned / f"{frame.stem}_0.jpg"
        if target.exists():
            self.trash.keep(target)
        write_face(target, picture, self.settings.jpeg_quality, data)
        self.draw(frame, image_bgr_u8)
        return target

    def remove(self, path: Path) -> None:
        """Move a face that was kept here to the trash."""
        if not path.exists():
            return
        self.trash.keep(path)
        try:
            path.unlink()
        except OSError as error:
            raise disk_error(error, path) from error

    def draw(self, frame: Path, image_bgr_u8: ImageBgrU8) -> None:
        """The debug picture of the frame, with all faces that it has by now."""
        if not self.settings.with_debug:
            return
        make_folder(self.side.aligned_debug)
        write_debug_picture(
            self.side.aligned_debug / f"{frame.stem}.jpg",
            image_bgr_u8,
            _faces_of(self.side, frame),
            self.settings.crop.face_type,
        )


def box_around(points: PointsXY) -> BoxLtrb:
    """The box (left, top, right, bottom) that holds the landmarks: what a detector would find."""
    left, top = points.min(axis=0).tolist()
    right, bottom = points.max(axis=0).tolist()
    return left, top, right, bottom


def read_points(path: Path) -> PointsXY:
    """Where the face in that file has its landmarks in the frame. Raises `InputError` if it does
    not say."""
    data = read_face_data(path)
    if data is None or data.source_landmarks is None:
        raise InputError(f"{path} does not say where its face is in the frame", "place it anew")
    return np.asarray(data.source_landmarks, np.float64)


def _faces_of(side: Side, frame: Path) -> Sequence[tuple[PointsXY, BoxLtrb]]:
    """Landmarks and boxes of the face files that are named after the frame."""
    faces: list[tuple[PointsXY, BoxLtrb]] = []
    for path in sorted(side.aligned.glob(f"{_escaped(frame.stem)}_*")):
        if path.suffix.lower() not in FACE_SUFFIXES:
            continue
        try:
            points = read_points(path)
        except FacewrightError:
            continue  # not a face: nothing to draw
        faces.append((points, box_around(points)))
    return faces


def _escaped(stem: str) -> str:
    return "".join(f"[{letter}]" if letter in "[?*" else letter for letter in stem)
