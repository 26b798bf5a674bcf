"""The App's side of pictures: put `PixelApp` before `App` among the bases."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Region

from tuiapp.graphics import textual_hooks
from tuiapp.graphics.overlay import Overlay
from tuiapp.graphics.terminal import Protocol, TerminalGraphics
from tuiapp.graphics.textual_hooks import RepaintApp, ReturnT
from tuiapp.graphics.winsize import cell_size_px

_EXPIRY_CHECK_S = 0.5
WITHOUT_PROBE = TerminalGraphics(Protocol.QUADRANT, why="the terminal was not asked")


class PixelApp(RepaintApp[ReturnT]):
    """Draws `PixelView`s by what `graphics` (from `probe.probe_terminal`) says; None: characters.

    Without a real terminal (tests, a browser) pictures are drawn in characters.
    """

    def __init__(
        self, *args: Any, graphics: TerminalGraphics | None = None, **keywords: Any
    ) -> None:
        super().__init__(*args, **keywords)
        self.overlay = Overlay(self, graphics or WITHOUT_PROBE)

    def repainted(self, regions: tuple[Region, ...]) -> None:
        self.overlay.repainted(regions)

    def displayed(self, regions: tuple[Region, ...]) -> None:
        self.overlay.displayed(regions)

    def breaks_synchronization(self, regions: tuple[Region, ...]) -> bool:
        return self.overlay.breaks_synchronization(regions)

    def on_mount(self) -> None:
        self.set_interval(_EXPIRY_CHECK_S, self.overlay.expire)
        self._use_pixel_mouse()

    def on_unmount(self) -> None:
        self.overlay.stop()
        if self.overlay.enabled:
            textual_hooks.use_pixel_mouse(self, None)

    def _use_pixel_mouse(self) -> None:
        graphics = self.overlay.graphics
        if graphics.pixel_mouse and self.overlay.enabled:
            cell = graphics.cell_width_px, graphics.cell_height_px
            textual_hooks.use_pixel_mouse(self, cell)

    def on_cursor_position(self, event: events.CursorPosition) -> None:
        self.overlay.answered(event.y + 1, event.x + 1)

    def on_resize(self, event: events.Resize) -> None:
        cell = None
        if event.pixel_size is not None and event.size.area:
            cell = (
                event.pixel_size.width // event.size.width,
                event.pixel_size.height // event.size.height,
            )
        elif self.overlay.enabled:
            cell = cell_size_px()
        if cell is not None and min(cell) > 0:
            self.overlay.set_cell_size(*cell)
            self._use_pixel_mouse()

    def on_app_focus(self) -> None:
        self.overlay.set_focus(True)

    def on_app_blur(self) -> None:
        self.overlay.set_focus(False)
