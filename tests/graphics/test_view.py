"""The picture widget without a terminal: what it draws in characters, and when."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widgets import Label, Static

from engine.protocol.errors import UsageError
from tests.graphics.card_app import card
from tuiapp.graphics import textual_hooks
from tuiapp.graphics.appmixin import PixelApp
from tuiapp.graphics.frame import Fit
from tuiapp.graphics.terminal import Protocol, TerminalGraphics
from tuiapp.graphics.view import PixelView
from tuiapp.widgets.picture import Picture


class ViewApp(PixelApp[None]):
    CSS = """
    Screen { layers: below above; background: #000000; }
    PixelView { width: 20; height: 10; background: #000000; }
    #cover { layer: above; offset: 0 2; width: 5; height: 3; background: #ffffff; display: none; }
    """

    def __init__(self, graphics: TerminalGraphics | None = None) -> None:
        super().__init__(graphics=graphics)
        self.refusals: list[str] = []

    def compose(self) -> ComposeResult:
        yield PixelView(fit=Fit.STRETCH)
        yield Static(id="cover")

    def on_pixel_view_refused(self, message: PixelView.Refused) -> None:
        self.refusals.append(message.error.message)

    @property
    def view(self) -> PixelView:
        return self.query_one(PixelView)


def plain(red: int, green: int = 0, blue: int = 0) -> np.ndarray:
    picture = np.empty((40, 40, 3), np.uint8)
    picture[:] = (red, green, blue)
    return picture


async def settled(pilot: Pilot[None], view: PixelView) -> None:
    """Waits until the view has nothing more to encode or draw."""
    while True:
        await pilot.pause()
        if view._work is None:
            await pilot.pause()
            if view._work is None:
                return
        view._work.exception()


def colours_at(view: PixelView, x: int, y: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Foreground and background of the widget's cell."""
    left = 0
    for segment in view.render_line(y):
        left += len(segment.text)
        if x < left:
            style = segment.style
            assert style is not None and style.color and style.bgcolor
            return tuple(style.color.get_truecolor()), tuple(style.bgcolor.get_truecolor())
    raise AssertionError(f"no cell {x} in row {y}")


async def test_a_frame_appears_in_characters_of_its_colours() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_frame(card())
        await settled(pilot, app.view)
        assert colours_at(app.view, 2, 2)[1] == (255, 0, 0)
        assert colours_at(app.view, 17, 2)[1] == (0, 255, 0)
        assert colours_at(app.view, 2, 8)[1] == (255, 0, 255)
        assert colours_at(app.view, 17, 8)[1] == (0, 0, 255)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
async def test_a_file_s_bytes_are_decoded_and_shown(format_name: str) -> None:
    out = BytesIO()
    Image.fromarray(plain(200)).save(out, format_name)
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_image_bytes(out.getvalue())
        await settled(pilot, app.view)
        red, green, _ = colours_at(app.view, 5, 5)[1]
        assert abs(red - 200) < 4
        assert green < 4


async def test_the_last_of_many_frames_is_shown_and_those_between_are_dropped() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        for red in range(0, 250, 5):
            app.view.set_frame(plain(red))
        app.view.set_frame(plain(251))
        await settled(pilot, app.view)
        assert colours_at(app.view, 5, 5)[1] == (251, 0, 0)
        assert app.view.stats.sent + app.view.stats.dropped == 51
        assert app.view.stats.dropped > 40


@pytest.mark.parametrize(
    "bad", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off", b"\x89PNG\r\n\x1a\n" + b"\0" * 40]
)
async def test_bytes_that_are_no_picture_are_refused_and_the_picture_before_stays(
    bad: bytes,
) -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_frame(plain(99))
        await settled(pilot, app.view)
        app.view.set_image_bytes(bad)
        await settled(pilot, app.view)
        assert len(app.refusals) == 1
        assert f"{len(bad)} bytes" in app.refusals[0]
        assert colours_at(app.view, 5, 5)[1] == (99, 0, 0)
        app.view.set_frame(plain(100))
        await settled(pilot, app.view)
        assert colours_at(app.view, 5, 5)[1] == (100, 0, 0)


@pytest.mark.parametrize("side_px", [9000, 20000])
async def test_a_picture_of_absurd_size_is_refused_before_it_is_decoded(side_px: int) -> None:
    bomb = BytesIO()
    Image.new("1", (side_px, side_px)).save(bomb, "PNG")
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_image_bytes(bomb.getvalue())
        await settled(pilot, app.view)
        assert len(app.refusals) == 1
        assert "too large to show" in app.refusals[0]


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))]
)
async def test_an_array_that_is_no_rgb_frame_is_refused_at_once(wrong: np.ndarray) -> None:
    app = ViewApp()
    async with app.run_test():
        with pytest.raises(UsageError, match="cannot be shown"):
            app.view.set_frame(wrong)


async def test_a_new_size_is_filled_by_the_same_picture() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_frame(card())
        await settled(pilot, app.view)
        app.view.styles.width = 31
        app.view.styles.height = 7
        await settled(pilot, app.view)
        assert colours_at(app.view, 29, 6)[1] == (0, 0, 255)


async def test_the_background_around_a_picture_is_the_widget_s_own() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.fit = Fit.CONTAIN
        app.view.styles.background = "#102030"
        app.view.set_frame(plain(255)[:4])
        await settled(pilot, app.view)
        assert colours_at(app.view, 5, 0)[1] == (0x10, 0x20, 0x30)
        app.view.styles.background = "#405060"
        await settled(pilot, app.view)
        assert colours_at(app.view, 5, 0)[1] == (0x40, 0x50, 0x60)


async def test_under_a_dialog_the_characters_stay_and_frames_wait_for_its_end() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_frame(plain(40))
        await settled(pilot, app.view)
        await app.push_screen(ModalScreen())
        app.view.set_frame(plain(50))
        await pilot.pause()
        assert colours_at(app.view, 5, 5)[1] == (40, 0, 0)
        app.pop_screen()
        await settled(pilot, app.view)
        assert colours_at(app.view, 5, 5)[1] == (50, 0, 0)


async def test_pixels_that_come_after_another_screen_did_are_not_drawn_over_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """tmux would keep them above the other screen's text until that is written again."""
    monkeypatch.setattr(textual_hooks, "can_overlay", lambda app: True)
    written: list[str] = []
    monkeypatch.setattr(textual_hooks, "write_to_terminal", lambda app, text: written.append(text))
    app = ViewApp(TerminalGraphics(Protocol.SIXEL))
    async with app.run_test() as pilot:
        app.view.set_frame(plain(40))
        await settled(pilot, app.view)
        app.view.set_frame(plain(50))
        written.clear()
        await app.push_screen(Screen())
        await settled(pilot, app.view)
        assert not any("\x1bP0;1;0q" in text for text in written)


async def test_a_hidden_view_shows_its_newest_frame_when_it_comes_back() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.display = False
        await pilot.pause()
        app.view.set_frame(plain(70))
        await pilot.pause()
        assert app.view.stats.sent == 0
        app.view.display = True
        await settled(pilot, app.view)
        assert colours_at(app.view, 5, 5)[1] == (70, 0, 0)


async def test_cleared_views_are_blank() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_frame(plain(70))
        await settled(pilot, app.view)
        app.view.clear()
        await settled(pilot, app.view)
        assert app.view.render_line(3).text.strip() == ""


async def test_pictures_that_are_switched_off_are_not_drawn() -> None:
    app = ViewApp(TerminalGraphics(Protocol.OFF))
    async with app.run_test() as pilot:
        app.view.set_frame(plain(70))
        await settled(pilot, app.view)
        assert app.view.stats.sent == 0


async def test_without_a_real_terminal_pixels_are_never_tried() -> None:
    app = ViewApp(TerminalGraphics(Protocol.SIXEL, cell_width_px=9, cell_height_px=19))
    async with app.run_test() as pilot:
        app.view.set_frame(plain(70))
        await settled(pilot, app.view)
        assert app.view.stats.protocol == "quadrant"
        assert app.view.stats.lost == 0


async def test_a_view_that_goes_away_while_its_frame_is_encoded_does_no_harm() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        app.view.set_frame(plain(70))
        await app.view.remove()
        await pilot.pause()
        assert not app.query(PixelView)


async def test_what_lies_over_a_view_is_known_by_its_rows() -> None:
    app = ViewApp()
    async with app.run_test() as pilot:
        assert textual_hooks.covering_regions(app.view) == []
        app.query_one("#cover").display = True
        await pilot.pause()
        (cover,) = textual_hooks.covering_regions(app.view)
        assert (cover.x, cover.y, cover.width, cover.height) == (0, 2, 5, 3)


class ScrolledApp(PixelApp[None]):
    CSS = "PixelView { height: 60; } VerticalScroll { height: 10; }"

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield PixelView()
        yield Label("below")


async def test_a_view_that_is_cut_off_by_scrolling_is_known() -> None:
    app = ScrolledApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert not textual_hooks.is_wholly_visible(app.query_one(PixelView))


class TitledApp(PixelApp[None]):
    def compose(self) -> ComposeResult:
        yield Picture()


async def test_a_title_from_a_file_name_is_not_read_as_markup() -> None:
    app = TitledApp()
    async with app.run_test() as pilot:
        picture = app.query_one(Picture)
        picture.set_title("[/] face [bold].jpg", "[red]")
        await pilot.pause()
        assert "[/] face [bold].jpg" in str(picture._border_title)


class TwoViewsApp(ViewApp):
    def compose(self) -> ComposeResult:
        yield PixelView(id="first")
        yield PixelView(id="second")


async def test_a_view_that_had_to_wait_is_drawn_when_another_one_s_frame_was_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repaint may overwrite all pictures at once, and only two may be on their way."""
    monkeypatch.setattr(textual_hooks, "can_overlay", lambda app: True)
    written: list[str] = []
    monkeypatch.setattr(textual_hooks, "write_to_terminal", lambda app, text: written.append(text))
    app = TwoViewsApp(TerminalGraphics(Protocol.SIXEL))
    async with app.run_test(size=(80, 24)) as pilot:
        first, second = app.query_one("#first", PixelView), app.query_one("#second", PixelView)
        for view in (first, second):
            view.set_frame(plain(250))
            await settled(pilot, view)
        app.overlay.expire()
        monkeypatch.setattr(app.overlay, "may_send", lambda: False)
        second.draw_again()
        written.clear()
        monkeypatch.setattr(app.overlay, "may_send", lambda: True)
        app.overlay.pump_all()
        assert sum("\x1bP0;1;0q" in text for text in written) == 1
