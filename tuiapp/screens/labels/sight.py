"""How the face is seen while its mask is drawn: its picture, zoom and place, colours, views."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.protocol.errors import InputError
from engine.protocol.events import LabelsShown
from engine.protocol.label_commands import Polygons
from tuiapp.bridge.preview_archive import read_picture
from tuiapp.bridge.watch import RunWatch
from tuiapp.graphics.decode import decode
from tuiapp.screens.session import Desk, SessionScreen
from tuiapp.widgets.canvas import Canvas
from tuiapp.widgets.canvas_drawing import Tint
from tuiapp.widgets.label_layers import Colour, Look, View, baked, grey_as_rgb, outside_of

U8 = NDArray[np.uint8]
Step = Literal["coarse", "pixel", "quarter"]

COARSE_PX = 8.0
QUARTER = 0.25  # of a pixel of the face
CLOSE_UP = 8.0
PAN_PART = 0.25
STEP_WORDS: dict[Step, str] = {
    "coarse": "8 px of the screen",
    "pixel": "1 px of the screen",
    "quarter": "1/4 px of the face",
}
_NO_MASK = "this face has no applied mask: xseg-apply makes them"


class FaceSightScreen(SessionScreen):
    """look, step: as the keys have set them; kept from face to face. Subclasses give `redraw`, and
    a `Canvas` in their body."""

    def __init__(self, watch: RunWatch, desk: Desk) -> None:
        super().__init__(watch, desk)
        self.look = Look()
        self.step: Step = "coarse"
        self.outside: Tint | None = None
        self._face_rgb_u8: U8 | None = None
        self._applied_u8: U8 | None = None
        self._pictured: tuple[object, ...] = ()

    @property
    def canvas(self) -> Canvas:
        return self.query_one(Canvas)

    # The face

    def load_face(self, shown: LabelsShown) -> None:
        """See that face soon; of several at once the newest."""
        self.run_worker(self._load(shown), exclusive=True, group="face")

    async def _load(self, shown: LabelsShown) -> None:
        """The shown face's picture and its applied mask."""
        try:
            face = await asyncio.to_thread(_read_rgb, shown.path)
            mask = await asyncio.to_thread(_read_rgb, shown.mask_path)
        except InputError as error:
            self.workbench.say(f"{shown.name}: {error.message}", severity="error")
            face = mask = None
        if self.is_left:
            return
        self._face_rgb_u8 = face
        self._applied_u8 = mask[..., 0] if mask is not None else None
        self.outside = outside_of(self._applied_u8) if self._applied_u8 is not None else None
        self.redraw()

    def draw_picture(self, polygons: Polygons) -> None:
        """The face or a mask, whichever is looked at; `polygons`: what is drawn."""
        face, view = self._face_rgb_u8, self.look.view
        if face is None:
            return
        drawn = polygons if view == "drawn" else None
        wanted = (id(face), view, drawn, id(self._applied_u8))
        if wanted == self._pictured:
            return
        self._pictured = wanted
        if drawn is not None:
            face = grey_as_rgb(baked(drawn, (face.shape[1], face.shape[0])))
        elif view == "applied" and self._applied_u8 is not None:
            face = grey_as_rgb(self._applied_u8)
        self.canvas.set_picture(face)

    # Keys

    def action_colour(self, colour: Colour) -> None:
        self.look = replace(self.look, colour=colour)
        self.redraw()

    def action_view(self, view: View) -> None:
        if view == "applied" and self._applied_u8 is None:
            self.workbench.say(_NO_MASK)
            return
        self.look = replace(self.look, view="face" if self.look.view == view else view)
        self.redraw()

    def action_overlay(self) -> None:
        self.look = replace(self.look, overlay=not self.look.overlay)
        if self.look.overlay and self._applied_u8 is None:
            self.workbench.say(_NO_MASK)
        self.redraw()

    def action_hide(self) -> None:
        self.look = replace(self.look, hidden=not self.look.hidden)
        self.redraw()

    def action_move(self, across: int, down: int, step: Step | None = None) -> None:
        canvas, step = self.canvas, step or self.step
        far = canvas.picture_px(COARSE_PX if step == "coarse" else 1.0)
        far = QUARTER if step == "quarter" else far
        canvas.move_cursor(across * far, down * far)

    def action_step(self) -> None:
        steps = list(STEP_WORDS)
        self.step = steps[(steps.index(self.step) + 1) % len(steps)]
        self.redraw()

    def action_lock(self) -> None:
        canvas = self.canvas
        canvas.locks_view = not canvas.locks_view
        if canvas.locks_view:
            canvas.centre_on(canvas.cursor_xy)
        self.redraw()

    def action_zoom_by(self, steps: int) -> None:
        self.canvas.zoom_by(steps)
        self.redraw()

    def action_zoom(self) -> None:
        canvas = self.canvas
        canvas.zoom_to(CLOSE_UP if canvas.sight.zoom < CLOSE_UP else 1.0)
        if canvas.sight.zoom > 1:
            canvas.centre_on(canvas.cursor_xy)
        self.redraw()

    def action_fit(self) -> None:
        self.canvas.zoom_to(1.0)
        self.redraw()

    def action_centre(self) -> None:
        self.canvas.centre_on(self.canvas.cursor_xy)

    def action_pan(self, across: int, down: int) -> None:
        self.canvas.pan(across * PAN_PART, down * PAN_PART)


def _read_rgb(path: str) -> U8 | None:
    """(h, w, 3) uint8 RGB; None where there is no file. Raises `InputError` for no picture."""
    encoded = read_picture(Path(path)) if path else None
    return decode(encoded) if encoded is not None else None
