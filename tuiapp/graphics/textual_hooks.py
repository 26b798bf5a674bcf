"""Every touch of Textual's private parts, in one place; `textual>=8.2.8,<9` is pinned for these.

`tests/graphics/test_textual_hooks.py` names what each function relies on, so that a new Textual
that moved something fails there and not on a user's screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers import linux_driver
from textual.errors import NoWidget
from textual.geometry import Region
from textual.message import Message
from textual.widgets._footer import FooterKey as FooterKey

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen
    from textual.widget import Widget

ReturnT = TypeVar("ReturnT")


class RepaintApp(App[ReturnT], Generic[ReturnT]):
    """An App that says which regions each repaint overwrites, before the terminal shows it."""

    _touched: tuple[Region, ...] = ()
    _unsynchronized = False

    def repainted(self, regions: tuple[Region, ...]) -> None:
        """Called after text was written over `regions`; what is written here is shown with it."""

    def displayed(self, regions: tuple[Region, ...]) -> None:
        """Called when a repaint of `regions` is over, without a terminal too."""

    def breaks_synchronization(self, regions: tuple[Region, ...]) -> bool:
        """True where `repainted` will write what must not be inside a synchronized update."""
        return False

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        self._touched = touched_regions(renderable)
        self._unsynchronized = bool(self._touched) and self.breaks_synchronization(self._touched)
        super()._display(screen, renderable)
        touched, self._touched = self._touched, ()
        if touched:
            self.displayed(touched)

    def _begin_update(self) -> None:
        if not self._unsynchronized:
            super()._begin_update()

    def _end_update(self) -> None:
        if self._touched:
            self.repainted(self._touched)
        if not self._unsynchronized:
            super()._end_update()


def touched_regions(renderable: object) -> tuple[Region, ...]:
    """The screen cells that a compositor update writes to."""
    if isinstance(renderable, ChopsUpdate):
        return tuple(Region(x1, y, x2 - x1, 1) for y, x1, x2 in renderable.spans)
    if isinstance(renderable, LayoutUpdate):
        return (renderable.region,)
    return ()


def covering_regions(widget: Widget) -> list[Region]:
    """Parts of the screen where other widgets (toasts, tooltips, layers) lie over `widget`."""
    region = widget.region
    related = {*widget.ancestors_with_self, *widget.walk_children()}
    covering: list[Region] = []
    for other, geometry in widget.screen._compositor.layers:
        if other is widget:
            break
        if other in related or not other.visible:
            continue
        overlap = geometry.visible_region.intersection(region)
        if overlap.area:
            covering.append(overlap)
    return covering


def is_wholly_visible(widget: Widget) -> bool:
    """False where a container clips `widget`, or it is hidden."""
    try:
        geometry = widget.screen._compositor.find_widget(widget)
    except NoWidget:
        return False
    return geometry.visible_region == geometry.region


def forget_rendered_lines(widget: Widget) -> None:
    """The next repaint asks `widget` for its lines anew; nothing is repainted now."""
    widget._styles_cache.clear()


def can_overlay(app: App[object]) -> bool:
    """True on a real full-screen terminal: not headless, in a browser or inline."""
    driver = app._driver
    return driver is not None and not (driver.is_headless or driver.is_web or driver.is_inline)


def write_to_terminal(app: App[object], text: str) -> None:
    """Queues `text` behind what Textual has written. UI thread only; once `can_overlay`."""
    driver = app._driver
    if driver is not None:
        driver.write(text)


def has_synchronized_output(app: App[object]) -> bool:
    """True where the terminal said that it knows mode 2026."""
    return app._sync_available


class PixelMouseParser(XTermParser):
    """Textual's parser, which takes the mouse's place for pixels only where the terminal reports
    its size in-band too; here also where `use_pixel_mouse` asked for pixels."""

    cell_px: ClassVar[tuple[int, int] | None] = None

    def parse_mouse_code(self, code: str) -> Message | None:
        if self.cell_px is not None:
            # The size of one cell: that of the whole terminal may have a border in it.
            self.mouse_pixels = True
            self.terminal_size, self.terminal_pixel_size = (1, 1), self.cell_px
        return super().parse_mouse_code(code)


# The driver makes its own by this name.
linux_driver.XTermParser = PixelMouseParser  # type: ignore[attr-defined]


def use_pixel_mouse(app: App[Any], cell_px: tuple[int, int] | None) -> None:
    """Have the terminal tell the mouse's place in pixels, of cells that large; None: no more.
    Nothing changes where Textual itself asked for it."""
    driver, was_asked = app._driver, PixelMouseParser.cell_px is not None
    if not isinstance(driver, linux_driver.LinuxDriver) or has_pixel_mouse(app) != was_asked:
        return
    PixelMouseParser.cell_px = cell_px
    if cell_px is not None and not was_asked:
        driver._enable_mouse_pixels()
    elif cell_px is None and was_asked:
        driver._mouse_pixels = False
        driver.write("\x1b[?1016l")  # Textual forgets it


def has_pixel_mouse(app: App[object]) -> bool:
    """True where mouse events carry parts of a cell (`pointer_x`), not whole ones."""
    return bool(getattr(app._driver, "_mouse_pixels", False))
