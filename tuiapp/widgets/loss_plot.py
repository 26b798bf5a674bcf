"""The losses of a training: a legend, the curves in pixels or braille, a line about one mark."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from engine.protocol.history import Mark
from tuiapp.bridge.loss_curves import LossWindow, window_of
from tuiapp.bridge.loss_history import LossHistory
from tuiapp.bridge.wording import count_text, plain_text
from tuiapp.graphics.frame import Fit
from tuiapp.graphics.plot import PlotColours, PlotMark, draw_plot, plot_columns
from tuiapp.graphics.view import PixelView
from tuiapp.widgets.loss_chart import LossChart
from tuiapp.widgets.loss_colours import FAINT, loss_colour, mark_colour

# DeepFaceLab's ranges, and two for trainings that are younger than its shortest one.
RANGES = (5_000, 10_000, 50_000, 100_000)
SHORT_RANGES = (500, 1_000)
# New iterations move a curve by less than a pixel: once a second is lively enough.
REDRAW_EVERY_S = 1.0
# The legend's values are means over so many of the last iterations.
LEGEND_MEAN_OF = 100


class LossPlot(Vertical):
    """Shows a `LossHistory`, redrawn at most once a second as it grows."""

    DEFAULT_CSS = """
    LossPlot {
        & > .line { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & > PixelView { display: none; height: 1fr; }
        &.-pixels > PixelView { display: block; }
        &.-pixels > LossChart { display: none; }
        & > #mark { display: none; }
        &.-marks > #mark { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._history = LossHistory()
        self._names: tuple[str, ...] = ()
        self._marks: Sequence[Mark] = ()
        self._chosen: int | None = None  # counted in the marks; None: always the last one
        self._range: int | None = None
        self._log = False
        self._drawn: tuple[object, ...] = ()
        self._drawn_at_s = float("-inf")

    def compose(self) -> ComposeResult:
        yield Static("", id="legend", classes="line", markup=False)
        yield LossChart()
        yield PixelView(fit=Fit.STRETCH)
        yield Static("", id="mark", classes="line", markup=False)

    def show(self, history: LossHistory, names: tuple[str, ...], marks: Sequence[Mark]) -> None:
        """Show these losses and marks (oldest first)."""
        self._history, self._names, self._marks = history, names, marks
        self.paint(now=False)

    def turn_range(self) -> None:
        """The next range: all, then so many of the last iterations."""
        self._range = next_range(self._range, len(self._history))
        self.paint()

    def turn_log(self) -> None:
        """A logarithmic value axis, and back."""
        self._log = not self._log
        self.paint()

    def step_mark(self, direction: int) -> None:
        """Choose the next mark (1) or the one before (-1)."""
        if self._marks:
            chosen = len(self._marks) - 1 if self._chosen is None else self._chosen
            self._chosen = max(0, min(len(self._marks) - 1, chosen + direction))
            self.paint()

    @property
    def chosen_mark(self) -> Mark | None:
        if not self._marks:
            return None
        return self._marks[-1 if self._chosen is None else min(self._chosen, len(self._marks) - 1)]

    def paint(self, *, now: bool = True) -> None:
        """Draw if anything changed; what only grew waits unless it is to be `now`."""
        pixels = self._wants_pixels()
        box = self.query_one(PixelView if pixels else LossChart).content_region.size
        colours = tuple(self.app.get_css_variables().items())
        shape = (self._range, self._log, self._chosen, tuple(self._marks), box, colours)
        state = (*shape, self._history.version, id(self._history))
        waits = time.monotonic() - self._drawn_at_s < REDRAW_EVERY_S
        same_shape = self._drawn[: len(shape)] == shape
        if state == self._drawn or (waits and same_shape and not now):
            return
        self._drawn, self._drawn_at_s = state, time.monotonic()
        self._draw(pixels)

    def on_resize(self) -> None:
        self.paint()

    def _wants_pixels(self) -> bool:
        overlay = self.query_one(PixelView).overlay
        pixels = overlay.enabled and overlay.graphics.protocol.has_pixels
        self.set_class(pixels, "-pixels")
        return pixels

    def _draw(self, pixels: bool) -> None:
        window = window_of(self._history, self._names, self._range)
        title = range_title(self._range, len(window))
        if title != self.border_title:  # setting it repaints the picture, too
            self.border_title = title
        self.query_one("#legend", Static).update(self._legend(window), layout=False)
        self._show_mark()
        if pixels and len(window):
            self.run_worker(self._draw_pixels(window), exclusive=True, group="plot")
        elif not pixels:
            chart = self.query_one(LossChart)
            chart.show(window, log=self._log, marks=self._marks, chosen=self.chosen_mark)

    async def _draw_pixels(self, window: LossWindow) -> None:
        view = self.query_one(PixelView)
        graphics, region = view.overlay.graphics, view.content_region
        cell_px = graphics.cell_height_px
        size_px = (region.width * graphics.cell_width_px, region.height * cell_px)
        if region.width < 12 or region.height < 4:
            return
        curves = await asyncio.to_thread(window.curves, plot_columns(size_px, cell_px))
        if not curves.curves:
            return
        marks = self._plot_marks()
        colours = self._colours(view)
        frame = await asyncio.to_thread(
            draw_plot, curves, size_px, cell_px, colours, log=self._log, marks=marks
        )
        view.set_frame(frame)

    def _plot_marks(self) -> list[PlotMark]:
        variables, chosen = self.app.get_css_variables(), self.chosen_mark
        return [
            PlotMark(mark.iteration, mark_colour(variables, mark.kind).rgb, mark == chosen)
            for mark in self._marks
        ]

    def _colours(self, view: PixelView) -> PlotColours:
        variables = self.app.get_css_variables()
        ground = view.background_colors[1]
        bold = {name: loss_colour(variables, name, n) for n, name in enumerate(self._names)}
        text = ground.blend(view.colors[3], 0.7)
        return PlotColours(
            background=ground.rgb,
            text=text.rgb,
            grid=ground.blend(view.colors[3], 0.12).rgb,
            raw={name: ground.blend(colour, FAINT).rgb for name, colour in bold.items()},
            smooth={name: colour.rgb for name, colour in bold.items()},
        )

    def _legend(self, window: LossWindow) -> Content:
        if not len(window):
            return Content.styled("no losses yet", "dim")
        variables = self.app.get_css_variables()
        parts: list[tuple[str, str] | str] = []
        for number, name in enumerate(self._names):
            values = window.losses[-LEGEND_MEAN_OF:, number]
            values = values[values == values]
            if len(values):
                colour = loss_colour(variables, name, number).hex6
                parts.append((f"━ {name} {float(values.mean()):.4f}  ", colour))
        if self._log:
            parts.append(("log", "dim"))
        return Content.assemble(*parts)

    def _show_mark(self) -> None:
        mark = self.chosen_mark
        self.set_class(mark is not None, "-marks")
        if mark is None:
            return
        place = self._marks.index(mark) + 1
        colour = mark_colour(self.app.get_css_variables(), mark.kind).hex6
        text = Content.assemble(
            (f"▲ {count_text(mark.iteration)} {plain_text(mark.kind)}", colour),
            (f" {place}/{len(self._marks)}  ", "dim"),
            plain_text(mark.text),
        )
        self.query_one("#mark", Static).update(text, layout=False)


def next_range(current: int | None, known: int) -> int | None:
    """The range after `current` for a training of which `known` iterations are known; None: all.
    Ranges that would show all are left out."""
    offered = SHORT_RANGES if known <= RANGES[0] else RANGES
    longer = [count for count in offered if count < known and count > (current or 0)]
    return longer[0] if longer else None


def range_title(wanted: int | None, shown: int) -> str:
    return "losses, all" if wanted is None else f"losses, last {count_text(min(wanted, shown))}"
