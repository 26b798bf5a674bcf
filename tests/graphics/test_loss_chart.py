import math
from itertools import pairwise

import pytest
from textual.app import App, ComposeResult

from engine.protocol.errors import UsageError
from tuiapp.widgets.loss_chart import LossChart


class ChartApp(App[None]):
    CSS = "LossChart { height: 12; width: 80; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"loss-src": "#ffb000", "loss-dst": "#4da6ff"}

    def compose(self) -> ComposeResult:
        yield LossChart()

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)


def lines(chart: LossChart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


def dots(line: str) -> str:
    return "".join(c for c in line if 0x2800 < ord(c) < 0x2900)


def falling(count: int, factor: float = 1.0) -> list[float]:
    return [factor * math.exp(-i / count * 3) for i in range(count)]


async def test_axes_name_the_extremes_and_the_legend_the_last_values() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.set_series({"src": [4.0, 2.0, 1.0], "dst": [3.0, 2.0, 0.5]}, [100, 200, 12300])
        await pilot.pause()
        text = lines(app.chart)
        assert "src 1 " in text[0]
        assert "dst 0.5" in text[0]
        assert text[1].startswith("     4┤")
        assert text[-2].startswith("   0.5┤")
        assert "100" in text[-1]
        assert text[-1].endswith("12,300")


async def test_a_falling_loss_goes_from_the_upper_left_to_the_lower_right() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.set_series({"src": falling(500)}, range(500))
        await pilot.pause()
        text = lines(app.chart)
        first = [min(i for i, c in enumerate(t) if ord(c) > 0x2800) for t in text[1:-1] if dots(t)]
        assert first == sorted(first)
        assert dots(text[1])
        assert dots(text[-2])


async def test_series_have_the_colours_of_the_theme() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.set_series({"src": [1.0, 1.0], "dst": [2.0, 2.0]}, [0, 1])
        await pilot.pause()
        colours = {
            segment.style.color.name
            for y in range(1, 11)
            for segment in app.chart.render_line(y)
            if segment.style and segment.style.color and dots(segment.text)
        }
        assert colours == {"#ffb000", "#4da6ff"}


async def test_one_spike_among_many_points_stays_visible() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        losses = [1.0] * 100_000
        losses[50_123] = 9.0
        app.chart.set_series({"src": losses}, range(100_000))
        await pilot.pause()
        text = lines(app.chart)
        assert text[1].startswith("     9┤")
        assert dots(text[1])


async def test_on_the_logarithmic_axis_an_exponential_fall_is_straight() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.set_series({"src": [10.0**-i for i in range(5)]}, range(5))
        app.chart.log_scale = True
        await pilot.pause()
        text = lines(app.chart)
        starts = [min(i for i, c in enumerate(t) if ord(c) > 0x2800) for t in text[1:-1]]
        steps = {after - before for before, after in pairwise(starts)}
        assert max(steps) - min(steps) <= 2
        assert "log" in text[0]


async def test_values_that_are_not_finite_are_left_out() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.set_series({"src": [1.0, math.nan, math.inf, 2.0]}, [0, 1, 2, 3])
        await pilot.pause()
        assert lines(app.chart)[1].startswith("     2┤")


async def test_a_loss_of_zero_does_not_break_the_logarithmic_axis() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.log_scale = True
        app.chart.set_series({"src": [1.0, 0.0, 0.1]}, [0, 1, 2])
        await pilot.pause()
        assert lines(app.chart)[1].startswith("     1┤")
        app.chart.set_series({"src": [0.0, 0.0]}, [0, 1])
        await pilot.pause()
        assert len(lines(app.chart)) == 12


async def test_without_losses_the_chart_says_so() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)):
        assert lines(app.chart)[0].strip() == "no losses yet"


async def test_a_single_point_is_shown() -> None:
    app = ChartApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.chart.set_series({"src": [0.7]}, [1])
        await pilot.pause()
        assert sum(len(dots(line)) for line in lines(app.chart)) == 1


@pytest.mark.parametrize("size", [(1, 1), (10, 2), (11, 3), (12, 4), (200, 50)])
async def test_every_size_is_filled_exactly(size: tuple[int, int]) -> None:
    app = ChartApp()
    async with app.run_test(size=(210, 60)) as pilot:
        app.chart.styles.width, app.chart.styles.height = size
        app.chart.styles.min_height = 1
        app.chart.set_series({"src": falling(50), "dst": falling(50, 0.01)}, range(50))
        await pilot.pause()
        assert [app.chart.render_line(y).cell_length for y in range(size[1])] == [size[0]] * size[1]


async def test_series_of_another_length_than_the_iterations_are_refused() -> None:
    app = ChartApp()
    async with app.run_test():
        with pytest.raises(UsageError, match="2 values of 'src' for 3 iterations"):
            app.chart.set_series({"src": [1.0, 2.0]}, [1, 2, 3])
