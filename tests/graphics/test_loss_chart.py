import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from textual.app import App, ComposeResult

from engine.protocol.history import Mark
from tuiapp.bridge.loss_curves import LossWindow
from tuiapp.theming import VARIABLE_DEFAULTS
from tuiapp.widgets.loss_chart import LossChart


class ChartApp(App[None]):
    CSS = "LossChart { height: 12; width: 80; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {**VARIABLE_DEFAULTS, "loss-src": "#ffb000", "loss-dst": "#4da6ff"}

    def compose(self) -> ComposeResult:
        yield LossChart()

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)


def window(series: dict[str, Sequence[float]], iterations: Sequence[int]) -> LossWindow:
    losses = np.array(list(series.values()), np.float32).T
    losses = np.where(np.isfinite(losses), losses, np.nan).astype(np.float32)
    return LossWindow(tuple(series), np.array(iterations, np.int64), losses)


def lines(chart: LossChart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


def dots(line: str) -> str:
    return "".join(c for c in line if 0x2800 < ord(c) < 0x2900)


def falling(count: int, factor: float = 1.0) -> list[float]:
    return [factor * math.exp(-i / count * 3) for i in range(count)]


async def test_axes_name_the_extremes() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        series = {"src": [1.2, 1.0, 1.0], "dst": [1.1, 0.8, 0.5]}
        app.chart.show(window(series, [100, 200, 12300]))
        await pilot.pause()
        text = lines(app.chart)
        assert text[0].startswith("   1.2┤")
        assert text[-2].startswith("   0.5┤")
        assert "100" in text[-1]
        assert text[-1].endswith("12 300")


async def test_a_falling_loss_goes_from_the_upper_left_to_the_lower_right() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.show(window({"src": falling(500)}, range(500)))
        await pilot.pause()
        text = lines(app.chart)
        first = [min(i for i, c in enumerate(t) if ord(c) > 0x2800) for t in text[:-1] if dots(t)]
        assert first == sorted(first)
        assert dots(text[0])
        assert dots(text[-2])


async def test_a_linear_axis_ends_at_twice_the_usual_loss_so_that_the_beginning_hides_nothing() -> (
    None
):
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.show(window({"src": [50.0] * 20 + [1.0] * 980}, range(1000)))
        await pilot.pause()
        assert lines(app.chart)[0].startswith("     2┤")


async def test_series_have_the_colours_of_the_theme_raw_ones_fainter() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        noise = [1.0 + (n * 7919 % 13) / 10 for n in range(1000)]
        app.chart.show(window({"src": noise, "dst": [3 * v for v in noise]}, range(1000)))
        await pilot.pause()
        colours = {
            segment.style.color.name
            for y in range(11)
            for segment in app.chart.render_line(y)
            if segment.style and segment.style.color and dots(segment.text)
        }
        assert {"#ffb000", "#4da6ff"} < colours
        assert len(colours) == 4


async def test_one_spike_among_many_points_stays_visible() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        losses = [1.0] * 100_000
        losses[50_123] = 9.0
        app.chart.show(window({"src": losses}, range(100_000)))
        await pilot.pause()
        assert dots(lines(app.chart)[0])


async def test_on_the_logarithmic_axis_an_exponential_fall_is_straight() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        fall = [10.0 ** (-n / 250) for n in range(1001)]
        app.chart.show(window({"src": fall}, range(1001)), log=True)
        await pilot.pause()
        text = lines(app.chart)
        starts = [min(i for i, c in enumerate(t) if ord(c) > 0x2800) for t in text[:-1]]
        steps = {after - before for before, after in pairwise(starts[1:])}
        assert max(steps) - min(steps) <= 2


async def test_values_that_are_not_finite_are_left_out() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.show(window({"src": [1.0, math.nan, math.inf, 2.0]}, [0, 1, 2, 3]))
        await pilot.pause()
        assert lines(app.chart)[0].startswith("     2┤")
        app.chart.show(window({"src": [math.nan, math.nan]}, [0, 1]))
        await pilot.pause()
        assert lines(app.chart)[0].strip() == "no finite losses"


async def test_a_loss_of_zero_does_not_break_the_logarithmic_axis() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.show(window({"src": [1.0, 0.0, 0.1]}, [0, 1, 2]), log=True)
        await pilot.pause()
        assert lines(app.chart)[0].startswith("     1┤")
        app.chart.show(window({"src": [0.0, 0.0]}, [0, 1]), log=True)
        await pilot.pause()
        assert len(lines(app.chart)) == 12


async def test_a_single_point_is_shown() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.show(window({"src": [0.7]}, [1]))
        await pilot.pause()
        assert sum(len(dots(line)) for line in lines(app.chart)) == 1


async def test_marks_stand_upright_where_there_is_no_curve_the_chosen_one_unbroken() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        marks = [Mark(n, 0.0, "phase", "") for n in (250, 500, 5000)]
        app.chart.show(window({"src": falling(1000)}, range(1000)), marks=marks, chosen=marks[1])
        await pilot.pause()
        second = lines(app.chart)[1][7:]
        assert [i for i, c in enumerate(second) if c == "┊"] == [73 // 4]
        assert [i for i, c in enumerate(second) if c == "│"] == [73 // 2]


@pytest.mark.parametrize("size", [(1, 1), (10, 2), (11, 3), (12, 4), (200, 50)])
async def test_every_size_is_filled_exactly(size: tuple[int, int]) -> None:
    app = ChartApp()
    async with app.run_test(size=(210, 60)) as pilot:
        app.chart.styles.width, app.chart.styles.height = size
        app.chart.show(window({"src": falling(50), "dst": falling(50, 0.01)}, range(50)))
        await pilot.pause()
        assert [app.chart.render_line(y).cell_length for y in range(size[1])] == [size[0]] * size[1]
