"""The picture of a merge session, and the boxes in pixels that it asks pictures for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tuiapp.bridge.preview_archive import read_picture
from tuiapp.bridge.wording import plain_text
from tuiapp.graphics.frame import Fit
from tuiapp.graphics.view import PixelView

# Pixels that characters are drawn from: as many across a cell as a quadrant block has, twice as
# many down it, since a cell is twice as high as wide.
_CHARACTER_PX = (2, 4)


class SessionPicture(PixelView):
    """Shows files that a session tells of; of several at once the newest."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.problem = ""

    def box_px(self) -> tuple[int, int]:
        """Width and height of the pictures that fill the widget; (0, 0) while it is not shown."""
        graphics = self.overlay.graphics
        cell = _CHARACTER_PX
        if graphics.protocol.has_pixels and self.overlay.enabled:
            cell = (graphics.cell_width_px, graphics.cell_height_px)
        region = self.content_region
        return region.width * cell[0], region.height * cell[1]

    def span_cells(self, width_px: int, height_px: int) -> tuple[float, float]:
        """Where a picture of that size lies: its left edge and its width, in cells."""
        box_wh = self.box_px()
        scale = min(box_wh[0] / width_px, box_wh[1] / height_px)
        if self._fit_of(width_px, height_px) is Fit.ACTUAL:
            scale = 1.0
        width = self.content_region.width * min(1.0, width_px * scale / box_wh[0])
        return (self.content_region.width - width) / 2, width

    def _fit_of(self, width_px: int, height_px: int) -> Fit:
        """The session made it for this box, at the scale that is wanted, unless it is larger: made
        for another viewer."""
        box_wh = self.box_px()
        has_pixels = self.overlay.graphics.protocol.has_pixels and self.overlay.enabled
        fits = width_px <= box_wh[0] and height_px <= box_wh[1]
        return Fit.ACTUAL if has_pixels and fits else Fit.CONTAIN

    def show_file(self, path: str, width_px: int, height_px: int) -> None:
        """Show the picture of that size soon."""
        self.fit = self._fit_of(width_px, height_px)
        self.run_worker(self._load(Path(path)), exclusive=True, group=f"load-{self.id}")

    async def _load(self, path: Path) -> None:
        encoded = await asyncio.to_thread(read_picture, path)
        if encoded is not None:  # else a newer one has taken its place
            self.problem = ""
            self.set_image_bytes(encoded)

    def on_pixel_view_refused(self, event: PixelView.Refused) -> None:
        event.stop()
        self.problem = plain_text(event.error.message)
