"""One face large, and the frame it came from with its landmarks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.protocol.errors import InputError
from engine.protocol.face_index import FaceDetails
from engine.protocol.workspace import IMAGE_SUFFIXES, Workspace
from tuiapp.bridge.face_facts import read_details
from tuiapp.bridge.face_fields import Face
from tuiapp.bridge.face_folder import read_face_file
from tuiapp.bridge.preview_archive import MAX_PICTURE_BYTES
from tuiapp.bridge.wording import plain_text
from tuiapp.graphics.decode import decode
from tuiapp.widgets.picture import Picture

U8 = NDArray[np.uint8]
Points = tuple[tuple[float, float], ...]
# What a terminal can show of a frame; larger ones are shrunk before landmarks are drawn on them.
MAX_FRAME_EDGE_PX = 1920
LANDMARK_RGB = (60, 255, 90)
OUTLINE_RGB = (255, 210, 60)


class FacePane(Vertical):
    """A picture with a title; or in its place, why there is none."""

    def compose(self) -> ComposeResult:
        yield Picture()
        yield Static("", markup=False)

    def on_mount(self) -> None:
        self.query_one(Static).display = False

    def show(self, title: str, found: U8 | str) -> None:
        """A picture (h, w, 3) uint8 RGB, or words."""
        picture, words = self.query_one(Picture), self.query_one(Static)
        picture.display, words.display = not isinstance(found, str), isinstance(found, str)
        if isinstance(found, str):
            words.border_title = title.replace("[", r"\[")
            words.update(found)
        else:
            picture.set_title(title, f"{found.shape[1]}x{found.shape[0]} px")
            picture.set_frame(found)


class FaceZoom(Horizontal):
    """Shows the face given last."""

    def __init__(self, workspace: Workspace, side_name: str) -> None:
        super().__init__()
        self._workspace, self._side = workspace, workspace.side(side_name)
        self._shown: Face | None = None

    def compose(self) -> ComposeResult:
        yield FacePane(id="face")
        yield FacePane(id="frame")

    def forget(self) -> None:
        """What is shown next is read anew, whatever it is."""
        self._shown = None

    def show(self, face: Face) -> None:
        """Shows a face and its frame soon; only the newest of several is loaded to the end."""
        if face != self._shown:
            self._shown = face
            self.run_worker(self._load(face), group="zoom", exclusive=True)

    async def _load(self, face: Face) -> None:
        name = plain_text(face.name)
        await self._fill("#face", name, lambda: decode(read_face_file(self._side, face)))
        await self._fill("#frame", frame_title(face), lambda: self._frame(face))

    async def _fill(self, where: str, title: str, load: Callable[[], U8]) -> None:
        try:
            found: U8 | str = await asyncio.to_thread(load)
        except InputError as error:
            found = plain_text(f"{error.message}; {error.remedy}")
        for pane in self.query(where).results(FacePane):
            if pane.display:  # else it is going, for the screen was left meanwhile
                pane.show(title, found)

    def _frame(self, face: Face) -> U8:
        if face.no_face:
            raise InputError(f"no face: {face.no_face}", "only faces tell their frame")
        details = read_details(self._workspace, self._side.name, face)
        if details is None:
            remedy = "make the index (key i) to see the frame and the landmarks"
            raise InputError("not in the index", remedy)
        frame = frame_path(self._side.frames, face.source_filename)
        return with_landmarks(read_rgb(frame), details)


def frame_title(face: Face) -> str:
    return plain_text(face.source_filename) or "frame"


def frame_path(folder: Path, source_filename: str) -> Path:
    """The frame of that name in the side's folder; only its last part counts, since it stands in
    the face file. A frame that was converted is found under another image suffix. Raises
    InputError."""
    name = Path(source_filename).name
    if not name:
        raise InputError("the face does not name its frame", "run faceset-recover-names")
    stem = Path(name).stem
    for candidate in (name, *(stem + suffix for suffix in sorted(IMAGE_SUFFIXES))):
        if (folder / candidate).is_file():
            return folder / candidate
    raise InputError(f"{name} is not in {folder.name}", "extract the frames again")


def read_rgb(path: Path) -> U8:
    """(h, w, 3) uint8 RGB. Raises InputError."""
    try:
        if path.stat().st_size > MAX_PICTURE_BYTES:
            raise InputError(f"{path.name} is larger than {MAX_PICTURE_BYTES >> 20} MB")
        return decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror}", "look again (key r)") from error


def with_landmarks(rgb_u8: U8, details: FaceDetails) -> U8:
    """The frame, at most 1920 px large, with the 68 landmarks as dots and the face's outline."""
    image = Image.fromarray(rgb_u8)
    image.thumbnail((MAX_FRAME_EDGE_PX, MAX_FRAME_EDGE_PX), reducing_gap=2.0)
    points = details.source_landmarks_xy
    if points is not None:
        _draw(ImageDraw.Draw(image), points, image.width / rgb_u8.shape[1])
    return np.asarray(image)


def _draw(draw: ImageDraw.ImageDraw, points: Points, scale: float) -> None:
    scaled = [(x * scale, y * scale) for x, y in points]
    # Dots of a hundredth of the face's height, at least a pixel: seen, yet hiding nothing.
    height = max(y for _, y in scaled) - min(y for _, y in scaled)
    radius = max(1.0, height / 100)
    draw.line(scaled[:17], fill=OUTLINE_RGB, width=max(1, round(radius / 2)))
    for x, y in scaled:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=LANDMARK_RGB)
