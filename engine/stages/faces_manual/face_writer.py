"""Face files of frames whose faces were placed by hand, written when they are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from engine.detect.detection import BoxLtrb, ImageBgrU8, PointsXY
from engine.faces.face_file import read_face_data, write_face
from engine.protocol.errors import InputError
from engine.protocol.files import disk_error
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import Side, Workspace, make_folder
from engine.stages.faces_extract.face_cut import cut_face, write_debug_picture
from engine.stages.faces_manual.settings import ManualSettings

# Of a frame; a crowd has more, but these are drawn only to be looked at.
MOST_DRAWN = 32


class FaceWriter:
    """Writes into `aligned` and `aligned_debug`; what is replaced stays in the trash."""

    def __init__(self, workspace: Workspace, side: Side, settings: ManualSettings) -> None:
        self.side = side
        self.settings = settings
        self._workspace = workspace
        self._trash = self._new_trash()
        self._in_trash: set[Path] = set()

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
            self._keep_in_trash(target)
        write_face(target, picture, self.settings.jpeg_quality, data)
        self.draw(frame, image_bgr_u8, target)
        return target

    def remove(self, path: Path) -> None:
        """Move a face that was kept here to the trash."""
        if not path.exists():
            return
        self._keep_in_trash(path)
        try:
            path.unlink()
        except OSError as error:
            raise disk_error(error, path) from error

    def draw(self, frame: Path, image_bgr_u8: ImageBgrU8, first: Path | None) -> None:
        """The debug picture of the frame, with the faces that it has by now. first: the file of the
        first one, if there is one."""
        if not self.settings.with_debug:
            return
        make_folder(self.side.aligned_debug)
        others = [self.side.aligned / f"{frame.stem}_{place}.jpg" for place in range(MOST_DRAWN)]
        paths = dict.fromkeys(([first] if first else []) + others)
        write_debug_picture(
            self.side.aligned_debug / f"{frame.stem}.jpg",
            image_bgr_u8,
            [(points, box_around(points)) for points in _all_points(paths)],
            self.settings.crop.face_type,
        )

    def _keep_in_trash(self, path: Path) -> None:
        """A second version of a file goes to a folder of its own."""
        if path in self._in_trash:
            self._trash, self._in_trash = self._new_trash(), set()
        self._trash.keep(path)
        self._in_trash.add(path)

    def _new_trash(self) -> TrashCopies:
        return TrashCopies(self._workspace, f"faces-manual-{self.side.name}")


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


def _all_points(paths: Iterable[Path]) -> Iterator[PointsXY]:
    """The landmarks of those files that are faces."""
    for path in paths:
        if path.is_file():
            with contextlib.suppress(InputError):  # not a face: nothing to draw
                yield read_points(path)
