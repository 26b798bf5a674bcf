"""Pictures of losses."""

from __future__ import annotations

import numpy as np
import pytest

from tuiapp.bridge.loss_curves import window_of
from tuiapp.bridge.loss_history import LossHistory
from tuiapp.graphics.plot import PlotColours, draw_plot

INK = {"src": (255, 255, 0), "dst": (0, 255, 255)}


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_losses_are_drawn_from_the_first_iteration_on(count: int, log: bool) -> None:
    history = LossHistory()
    for iteration in range(1, count + 1):
        history.add(iteration, (3.8, 3.7))
    curves = window_of(history, ("src", "dst"), None).curves(300)
    colours = PlotColours((0, 0, 0), (90, 90, 90), (40, 40, 40), INK, INK)
    picture = draw_plot(curves, (400, 200), 18, colours, log=log, marks=())
    assert picture.shape == (200, 400, 3)
    for ink in INK.values():
        assert (np.abs(picture.astype(int) - ink).max(-1) < 90).any()
