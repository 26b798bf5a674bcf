"""What `textual_hooks` relies on in Textual, by name: a new Textual must fail here first."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate, MapGeometry
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Static

from tuiapp.graphics import textual_hooks
from tuiapp.graphics.textual_hooks import RepaintApp


def test_every_repaint_goes_through_display_between_begin_and_end() -> None:
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
    source = inspect.getsource(App._display)
    begin, end = source.index("self._begin_update()"), source.index("self._end_update()")
    assert begin < source.index("self._driver.write(terminal_sequence)") < end


def test_updates_name_the_regions_they_write() -> None:
    chops = ChopsUpdate([], [(3, 10, 14), (4, 10, 14)], [])
    assert textual_hooks.touched_regions(chops) == (Region(10, 3, 4, 1), Region(10, 4, 4, 1))
    layout = LayoutUpdate([], Region(1, 2, 3, 4))
    assert textual_hooks.touched_regions(layout) == (Region(1, 2, 3, 4),)
    assert textual_hooks.touched_regions(None) == ()


def test_a_compositor_has_layers_front_to_back_with_their_visible_regions() -> None:
    assert isinstance(Compositor.layers, property)
    assert "reverse=True" in inspect.getsource(Compositor.layers.fget)  # type: ignore[arg-type]
    assert "visible_region" in dir(MapGeometry)
    assert list(inspect.signature(Compositor.find_widget).parameters) == ["self", "widget"]


@pytest.mark.parametrize("name", ["is_headless", "is_web", "is_inline", "write"])
def test_a_driver_says_what_it_is_and_takes_text(name: str) -> None:
    assert hasattr(Driver, name)


def test_the_terminal_s_answer_to_a_fence_reaches_the_app_as_cursor_position() -> None:
    from textual._xterm_parser import XTermParser

    (event,) = XTermParser().feed("\x1b[12;34R")
    assert isinstance(event, CursorPosition)
    assert (event.x, event.y) == (33, 11)


def test_the_linux_driver_hands_text_on_as_it_is() -> None:
    assert "self._writer_thread.write(data)" in inspect.getsource(LinuxDriver.write)


class Counting(Widget):
    rendered = 0

    def render_line(self, y: int) -> Any:
        self.rendered += 1
        return super().render_line(y)


class HookApp(RepaintApp[None]):
    seen: tuple[Region, ...] = ()

    def displayed(self, regions: tuple[Region, ...]) -> None:
        self.seen += regions

    def compose(self) -> ComposeResult:
        yield Static("one", id="one")
        yield Counting()


async def test_an_app_says_where_a_changed_widget_was_repainted() -> None:
    app = HookApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        app.seen = ()
        app.query_one("#one", Static).update("two")
        await pilot.pause()
        assert any(region.overlaps(app.query_one("#one").region) for region in app.seen)


async def test_forgotten_lines_are_asked_for_again_at_the_next_repaint_only() -> None:
    app = HookApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        widget = app.query_one(Counting)
        before = widget.rendered
        textual_hooks.forget_rendered_lines(widget)
        await pilot.pause()
        assert widget.rendered == before
        app.screen.refresh()
        await pilot.pause()
        assert widget.rendered > before


async def test_without_a_terminal_there_is_nothing_to_draw_over() -> None:
    app = HookApp()
    async with app.run_test():
        assert not textual_hooks.can_overlay(app)
        assert not textual_hooks.has_synchronized_output(app)


async def test_a_hidden_widget_is_not_wholly_visible() -> None:
    app = HookApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        widget = app.query_one("#one", Static)
        assert textual_hooks.is_wholly_visible(widget)
        widget.display = False
        await pilot.pause()
        assert not textual_hooks.is_wholly_visible(widget)


def test_the_linux_driver_parses_the_mouse_by_our_parser_and_can_ask_for_pixels() -> None:
    assert linux_driver.XTermParser is textual_hooks.PixelMouseParser  # type: ignore[attr-defined]
    assert "XTermParser(" in inspect.getsource(LinuxDriver.run_input_thread)
    assert "1016h" in inspect.getsource(LinuxDriver._enable_mouse_pixels)
    assert "_mouse_pixels" in inspect.getsource(LinuxDriver.__init__)


def test_pixels_of_the_mouse_become_parts_of_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = textual_hooks.PixelMouseParser()
    (in_cells,) = parser.feed("\x1b[<0;7;4M")
    assert (in_cells.pointer_x, in_cells.pointer_y) == (6, 3)
    monkeypatch.setattr(textual_hooks.PixelMouseParser, "cell_px", (10, 20))
    (in_pixels,) = parser.feed("\x1b[<0;26;51M")
    assert (in_pixels.pointer_x, in_pixels.pointer_y) == (2.5, 2.5)
    assert (in_pixels.x, in_pixels.y) == (2, 2)


def test_a_footers_key_tells_its_key_word_and_action() -> None:
    key = textual_hooks.FooterKey("ctrl+q", "^q", "Quit", "app.quit")
    assert (key.key_display, key.description, key.action) == ("^q", "Quit", "app.quit")
