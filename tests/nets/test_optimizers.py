from __future__ import annotations

import keras
import numpy as np
import pytest

from engine.nets.optimizers import AdaBelief, Adam, RMSprop, Schedule
from tests.nets.golden import golden_arrays

CASES = {
    "plain": {},
    "clip": {"clip_norm": 1.0},
    "cos": {"cosine_period": 10},
    "cos500_clip": {"cosine_period": 500, "clip_norm": 0.5},
}


def variable(start):
    return keras.Variable(np.asarray(start, np.float32))


@pytest.mark.parametrize("kind", [RMSprop, AdaBelief])
@pytest.mark.parametrize("case", CASES)
def test_twelve_steps_on_given_gradients_are_the_references(kind, case):
    golden = golden_arrays("optimizers.npz")
    weights = [variable(golden["v0_start"]), variable(golden["v1_start"])]
    names = [("m/v0", weights[0]), ("m/v1", weights[1])]
    optimizer = kind(names, Schedule(0.01, **CASES[case]))
    paths = [[weight.numpy()] for weight in weights]
    for step in range(12):
        optimizer.apply([golden["v0_grads"][step], golden["v1_grads"][step]])
        for path, weight in zip(paths, weights, strict=True):
            path.append(weight.numpy())
    for i, path in enumerate(paths):
        expected = golden[f"{kind.__name__}|{case}|v{i}"]
        # In its cosine runs the reference's AdaBelief read the step counter at times before it was
        # advanced (the reads are unordered): surely in the first step, by 1 of 500 in some others.
        if kind is AdaBelief and "cos" in case:
            found_changes, expected_changes = np.diff(path[1:], axis=0), np.diff(expected, axis=0)
            np.testing.assert_allclose(found_changes, expected_changes, atol=5e-5, rtol=1e-4)
        else:
            np.testing.assert_allclose(path[1:], expected, atol=2e-6)
    for name, state in optimizer.named_state():
        expected = golden[f"{kind.__name__}|{case}|state|opt/{name}"]
        np.testing.assert_allclose(state, expected, rtol=2e-5, atol=1e-7)


def test_lr_dropout_moves_its_share_of_the_elements_and_other_ones_in_each_step():
    weight = variable(np.zeros(20_000))
    optimizer = RMSprop([("w", weight)], Schedule(0.01, keep=0.3), seed=5)
    optimizer.apply([np.ones(20_000, np.float32)])
    first = weight.numpy() != 0
    optimizer.apply([np.ones(20_000, np.float32)])
    both = weight.numpy() < -0.04  # 3.16 + 2.29 steps of 0.01, against 3.16 for one
    assert abs(first.mean() - 0.3) < 0.015
    assert abs(both.mean() - 0.09) < 0.01


def test_lr_dropout_draws_the_same_masks_again_from_the_same_step_and_seed():
    ends = []
    for _ in range(2):
        weight = variable(np.zeros(500))
        optimizer = RMSprop([("w", weight)], Schedule(0.01, keep=0.3), seed=5)
        for _ in range(3):
            optimizer.apply([np.ones(500, np.float32)])
        ends.append(weight.numpy())
    np.testing.assert_array_equal(ends[0], ends[1])


def test_twelve_steps_of_adam_are_those_of_keras():
    rng = np.random.default_rng(3)
    start = rng.normal(size=(5, 4)).astype(np.float32)
    weight, reference = (keras.Variable(start) for _ in range(2))
    optimizer = Adam([("w", weight)], Schedule(5e-3))
    wanted = keras.optimizers.Adam(5e-3, beta_1=0.5, beta_2=0.999, epsilon=1e-7)
    for _ in range(12):
        gradient = rng.normal(0, 10 ** rng.uniform(-3, 0), start.shape).astype(np.float32)
        optimizer.apply([gradient])
        wanted.apply([gradient], [reference])
        np.testing.assert_allclose(weight.numpy(), reference.numpy(), rtol=0, atol=2e-6)
