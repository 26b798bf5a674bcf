from __future__ import annotations

import math

import pytest

from engine.train import guard as rules
from engine.train.guard import BAD_IN_A_ROW, WINDOW, Guard
from engine.train.trainable import StepResult

FACE_MASKS = {"mask_src": 0.4, "mask_dst": 0.5}


def result(loss, *, applied=True, **health):
    return StepResult((loss * 0.5, loss * 0.5), applied, health)


def watch(guard, results, *, first=1):
    """Judge steps in order; (iteration, collapse) of the first collapse, or None."""
    for iteration, step in enumerate(results, first):
        collapse = guard.judge(iteration, step, lambda: FACE_MASKS)
        if collapse:
            return iteration, collapse
    return None


def healthy(count, loss=1.0):
    """Losses that fall and jump about as those of single faces do."""
    return [result(loss * (1 + 0.8 * math.sin(n * 2.4)) / (1 + n / 500)) for n in range(count)]


def test_healthy_training_is_left_alone():
    guard = Guard()
    assert watch(guard, healthy(2000)) is None
    assert guard.is_sound


def test_a_single_step_that_is_no_number_is_forgotten_by_the_next():
    guard = Guard()
    guard.judge(1, result(math.nan, applied=False), dict)
    assert guard.is_undecided
    assert not guard.is_sound
    guard.judge(1, result(1.0), dict)
    assert not guard.is_undecided
    assert guard.is_sound


def test_a_change_of_options_makes_no_bad_step_good_and_going_back_does():
    guard = Guard()
    guard.judge(1, result(math.nan, applied=False), dict)
    guard.begin_anew()
    assert not guard.is_sound
    guard.went_back()
    assert guard.is_sound


def test_several_bad_steps_in_a_row_are_a_collapse_that_says_what_was_bad():
    found = watch(Guard(), [result(math.nan, applied=False)] * BAD_IN_A_ROW)
    assert found is not None
    assert found[0] == BAD_IN_A_ROW
    assert "no numbers" in found[1].reason


def test_the_limit_is_a_multiple_of_the_median_of_late():
    guard = Guard()
    assert guard.loss_limit == math.inf
    watch(guard, [result(2.0 + n / 1e9) for n in range(WINDOW)])
    assert guard.loss_limit == pytest.approx(2.0 * rules.EXPLODES_AT, rel=1e-6)
    found = watch(guard, [result(50.0, applied=False)] * BAD_IN_A_ROW)
    assert "beyond 12" in found[1].reason


def test_after_a_change_of_options_losses_of_another_size_are_allowed_for_a_while():
    guard = Guard()
    watch(guard, healthy(WINDOW, 1.0))
    before = guard.loss_limit
    guard.begin_anew()
    assert before < guard.loss_limit < math.inf
    assert watch(guard, healthy(WINDOW, 8.0)) is None
    assert guard.loss_limit == pytest.approx(before * 8, rel=0.1)


def test_losses_that_never_change_are_a_collapse():
    found = watch(Guard(), [result(0.5)] * 200)
    assert "not changed" in found[1].reason


def test_losses_that_creep_up_are_a_collapse_that_names_the_last_sound_iteration():
    rising = [result(step_loss) for step_loss in (1.0 * 1.004**n for n in range(1000))]
    found = watch(Guard(), [*healthy(300), *rising])
    assert found is not None
    iteration, collapse = found
    assert "risen" in collapse.reason
    assert 300 <= collapse.sound_until < iteration - 50


@pytest.mark.parametrize(("mean", "word"), [(0.0, "nothing"), (1.0, "everything")])
def test_masks_that_say_nothing_for_long_are_a_collapse(mean, word):
    steps = [result(0.1 + n / 1e6, mask_dst=mean, mask_src=0.4) for n in range(300)]
    guard = Guard()
    assert watch(guard, steps[:100]) is None
    assert not guard.is_sound, "not worth a save over a good one"
    found = watch(guard, steps[100:])
    assert "mask_dst" in found[1].reason
    assert word in found[1].reason


def test_masks_that_say_nothing_are_right_where_the_targets_do():
    guard = Guard()
    for n in range(300):
        step = result(0.1 + n / 1e6, mask_dst=0.0)
        assert guard.judge(n, step, lambda: {"mask_dst": 0.0}) is None
    assert guard.is_sound
