from __future__ import annotations

import numpy as np
import pytest

from engine.models.xseg.predictor import MEAN
from engine.models.xseg.running_mean import MOST_KEPT, RunningMean, mean_weights
from engine.nets.initialisation import weights_of
from engine.nets.xseg import XSeg
from engine.protocol.errors import InputError
from tests.models.xseg.made_xseg import tiny_net

BIAS = "conv01/conv/bias:0"


def move(net: XSeg, value: float) -> None:
    bias = dict(net.named_weights())[BIAS]
    bias.assign(np.full(bias.shape, value, np.float32))


def followed(mean: RunningMean, values: list[float]) -> float:
    """The mean bias after the net had these."""
    for value in values:
        move(mean.net, value)
        mean.follow()
    return float(weights_of(mean.mean)[BIAS][0])


def test_a_young_mean_leaves_the_start_behind_and_an_old_one_reaches_far_back() -> None:
    mean = RunningMean(tiny_net(), XSeg(1))
    values = [float(number % 7) for number in range(1200)]
    expected = 0.0
    for number, value in enumerate(values):
        kept = min(MOST_KEPT, number / (number + 9))
        expected = kept * expected + (1 - kept) * value
    assert followed(mean, values[:1]) == values[0]
    assert followed(mean, values[1:]) == pytest.approx(expected, rel=1e-4)
    assert expected == pytest.approx(3.0, abs=0.1)  # of 0 to 6


@pytest.mark.usefixtures("without_tracing")
def test_a_saved_mean_goes_on_as_if_it_had_not_been_interrupted() -> None:
    whole, first = RunningMean(tiny_net(), XSeg(1)), RunningMean(tiny_net(), XSeg(1))
    values = [0.5, -3.0, 2.25, 7.0, 1.0]
    followed(first, values[:3])
    later = RunningMean(tiny_net(), XSeg(1))
    later.load(MEAN, first.state())
    assert followed(later, values[3:]) == followed(whole, values)
    assert later.steps == whole.steps == 5


@pytest.mark.usefixtures("without_tracing")
def test_before_the_first_step_nothing_is_saved_and_it_is_the_net_itself() -> None:
    mean = RunningMean(tiny_net(), XSeg(1))
    assert mean.state() == {}
    mean.be_ready()
    own, seen = weights_of(mean.net), weights_of(mean.mean)
    assert all(np.array_equal(own[name], seen[name]) for name in own)


@pytest.mark.usefixtures("without_tracing")
def test_a_mean_of_another_net_is_refused() -> None:
    mean = RunningMean(tiny_net(), XSeg(1))
    mean.follow()
    with pytest.raises(InputError):
        RunningMean(tiny_net(2), XSeg(2)).load(MEAN, mean.state())
    assert set(mean_weights(mean.state())) == set(weights_of(mean.net))


@pytest.mark.parametrize("steps", [None, -9, 0, 2.5, [1, 2]])
@pytest.mark.usefixtures("without_tracing")
def test_a_mean_of_a_count_of_steps_that_there_cannot_be_is_refused(steps: object) -> None:
    mean = RunningMean(tiny_net(), XSeg(1))
    mean.follow()
    state = {name: tensor for name, tensor in mean.state().items() if name != "steps:0"}
    if steps is not None:
        state["steps:0"] = np.array(steps)
    with pytest.raises(InputError, match="does not say how many steps"):
        mean.load(MEAN, state)
    assert mean.steps == 1
