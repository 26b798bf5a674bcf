"""Thumbnails of faces in rows: one picture of the page that is seen, loaded as it is seen."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from textual.events import Click
from textual.message import Message

from engine.protocol.errors import InputError
from tuiapp.bridge.face_fields import Face, FaceKey
from tuiapp.bridge.thumbnails import Thumbnails
from tuiapp.graphics.contact_sheet import (
    SheetColours,
    SheetLayout,
    compose_sheet,
    crossed_out,
    sheet_layout,
    tile_picture,
)
from tuiapp.graphics.frame import Fit
from tuiapp.graphics.view import PixelView

U8 = NDArray[np.uint8]
# Smallest to largest wished tile, in cells; cells are about twice as high as wide.
TILE_CELLS = ((8, 4), (12, 6), (18, 9), (26, 13))
# Characters show two samples a cell across; twice as many are smooth, more are only work.
CHARACTER_WIDTH_PX = 4
# Few enough that a page fills visibly, many enough that drawing costs little beside decoding.
BATCH = 16
DECODERS = 4
KEPT_AT_LEAST = 400  # tiles in memory


class FaceGrid(PixelView):
    """Shows `faces`, scrolled so that the cursor is seen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "face-grid--cursor",
        "face-grid--marked",
        "face-grid--empty",
    }
    DEFAULT_CSS = """
    FaceGrid {
        .face-grid--cursor { color: $accent; }
        .face-grid--marked { color: $primary; }
        .face-grid--empty { color: $panel; }
    }
    """

    class Picked(Message):
        """A face was clicked; `place` counts in the shown faces."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    class Unreadable(Message):
        """`problems` has more of them."""

    class Opened(Message):
        """A face was clicked twice."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(fit=Fit.STRETCH)
        self.problems: dict[FaceKey, str] = {}
        self._thumbnails = thumbnails
        self._tile_size = 1
        self._faces: list[Face] = []
        self._cursor = 0
        self._marked: Set[FaceKey] = frozenset()
        self._in_range: Set[FaceKey] = frozenset()
        self._first_row = 0
        self._tiles: OrderedDict[FaceKey, U8] = OrderedDict()
        self._tiles_px = 0
        self._is_loading = False
        self._decoders = ThreadPoolExecutor(DECODERS, thread_name_prefix="thumbnails")

    @property
    def sheet(self) -> SheetLayout:
        """The page's layout at the widget's present size."""
        region, graphics = self.content_region, self.overlay.graphics
        width_px = graphics.cell_width_px if graphics.protocol.has_pixels else CHARACTER_WIDTH_PX
        height_px = round(width_px * graphics.cell_height_px / graphics.cell_width_px)
        box, wish = (region.width, region.height), TILE_CELLS[self._tile_size]
        return sheet_layout(box, wish, (width_px, max(2, height_px)))

    def show(
        self, faces: list[Face], cursor: int, marked: Set[FaceKey], in_range: Set[FaceKey]
    ) -> None:
        """Shows these faces, soon: thumbnails come as they are read."""
        self._faces, self._cursor, self._marked = faces, cursor, marked
        self._in_range = in_range
        self._draw_page()

    def resize_tiles(self, steps: int) -> None:
        """Larger tiles, fewer of them; or the reverse."""
        self._tile_size = max(0, min(len(TILE_CELLS) - 1, self._tile_size + steps))
        self._draw_page()

    def page(self) -> list[Face]:
        """The faces of the page that is seen."""
        layout = self.sheet
        first = self._first_row * layout.columns
        return self._faces[first : first + layout.count]

    def forget_problems(self) -> None:
        """Files that could not be read are tried again."""
        for key in self.problems:
            self._tiles.pop(key, None)
        self.problems.clear()
        self._draw_page()

    @property
    def is_complete(self) -> bool:
        """Whether all thumbnails of the page are there."""
        return bool(self._faces) and all(face.key in self._tiles for face in self.page())

    def retarget(self) -> None:
        super().retarget()
        self._draw_page()

    def on_resize(self) -> None:
        self._draw_page()

    def on_show(self) -> None:
        self._draw_page()

    def on_unmount(self) -> None:
        self._decoders.shutdown(wait=False, cancel_futures=True)

    def on_click(self, event: Click) -> None:
        place = self.sheet.tile_at(event.x, event.y)
        if place is not None:
            self.post_message(self.Picked(self._first_row * self.sheet.columns + place))
            if event.chain == 2:
                self.post_message(self.Opened())

    # Drawing

    def _draw_page(self) -> None:
        if not self._is_seen():
            return
        layout, colours = self.sheet, self._colours()
        self._follow_cursor(layout)
        self._fit_tiles(layout)
        page = self.page()
        cursor = self._cursor - self._first_row * layout.columns
        pictures = [self._tiles.get(face.key) for face in page]
        self.set_frame(compose_sheet(layout, pictures, colours, cursor, self._marks_of(page)))
        if not self._is_loading and self._missing():
            self._is_loading = True
            self.run_worker(self._load(), group="thumbnails")

    def _is_seen(self) -> bool:
        return self.is_attached and self.display and bool(self.content_region.area)

    def _follow_cursor(self, layout: SheetLayout) -> None:
        row = self._cursor // layout.columns
        last_row = max(0, (len(self._faces) - 1) // layout.columns)
        first = min(self._first_row, max(0, last_row - layout.rows + 1))
        self._first_row = max(row - layout.rows + 1, min(first, row))

    def _fit_tiles(self, layout: SheetLayout) -> None:
        if layout.picture_px != self._tiles_px:
            self._tiles_px = layout.picture_px
            self._tiles.clear()

    def _marks_of(self, page: list[Face]) -> dict[int, bool]:
        marks = {n: False for n, face in enumerate(page) if face.key in self._in_range}
        return marks | {n: True for n, face in enumerate(page) if face.key in self._marked}

    def _colours(self) -> SheetColours:
        def of(name: str) -> tuple[int, int, int]:
            return self.get_component_styles(f"face-grid--{name}").color.rgb

        background = self.background_colors[1].rgb
        return SheetColours(background, of("empty"), of("cursor"), of("marked"))

    # Loading

    def _near(self) -> list[Face]:
        """The page, then the pages after and before it."""
        layout = self.sheet
        first, count = self._first_row * layout.columns, layout.count
        return self._faces[first : first + 2 * count] + self._faces[max(0, first - count) : first]

    def _missing(self) -> list[Face]:
        return [face for face in self._near() if face.key not in self._tiles]

    async def _load(self) -> None:
        """Until all near the cursor's page is there, wherever it goes meanwhile."""
        try:
            while self._is_seen() and (batch := self._missing()[:BATCH]):
                edge_px = self._tiles_px
                loop = asyncio.get_running_loop()
                work = [loop.run_in_executor(self._decoders, self._read, f, edge_px) for f in batch]
                self._take(batch, await asyncio.gather(*work), edge_px)
        finally:
            self._is_loading = False

    def _read(self, face: Face, edge_px: int) -> U8 | InputError:
        try:
            return tile_picture(self._thumbnails.get(face), edge_px)
        except InputError as error:
            return error

    def _take(self, batch: list[Face], loaded: list[U8 | InputError], edge_px: int) -> None:
        if edge_px != self._tiles_px:
            return
        for face, picture in zip(batch, loaded, strict=True):
            if isinstance(picture, InputError):
                self.problems[face.key] = picture.message
                picture = crossed_out(edge_px, self._colours())
            self._tiles[face.key] = picture
        if any(isinstance(picture, InputError) for picture in loaded):
            self.post_message(self.Unreadable())
        self._forget_old()
        page = {face.key for face in self.page()}
        if any(face.key in page for face in batch):
            self._draw_page()

    def _forget_old(self) -> None:
        for face in self._near():
            if face.key in self._tiles:
                self._tiles.move_to_end(face.key)
        keep = max(KEPT_AT_LEAST, 4 * self.sheet.count)
        while len(self._tiles) > keep:
            self._tiles.popitem(last=False)
