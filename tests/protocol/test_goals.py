"""Goals fill options: each on every device, checked by the catalog's own rows."""

from __future__ import annotations

import pytest

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.goals import GOALS, Goal, Size, goal
from engine.protocol.options import complete_values
from engine.protocol.plan_presets import preset_for
from engine.protocol.training_plan import check_plan
from tests.protocol.reckoned_memory import training_gib, weight_count

# Quick96's fixed shape, in SAEHD's words (spec, training 9).
QUICK96 = {
    "archi": "df-ud",
    "resolution": 96,
    "ae_dims": 128,
    "e_dims": 64,
    "d_dims": 64,
    "d_mask_dims": 16,
    "adabelief": False,
}
SIZES = [(goal, size) for goal in GOALS for size in goal.sizes]
NAMES = [f"{goal.id}-{size.from_gib}" for goal, size in SIZES]


def trained_with(goal: Goal, size: Size) -> dict[str, object]:
    """All options of training to that goal on a device of that size."""
    values = goal.values_for("train", size.from_gib)
    spec = catalog.stage("train")
    return complete_values(catalog.options_of(spec, values["model_class"]), values)


@pytest.mark.parametrize(("goal", "size"), SIZES, ids=NAMES)
def test_what_a_goal_sets_for_training_is_allowed_on_every_device(goal: Goal, size: Size) -> None:
    values = trained_with(goal, size)
    model = catalog.model(str(values["model_class"]))
    if model.check:
        model.check(values)


@pytest.mark.parametrize(("goal", "size"), SIZES, ids=NAMES)
def test_a_goals_plan_can_be_followed_to_its_end_on_every_device(goal: Goal, size: Size) -> None:
    values = trained_with(goal, size)
    if values["plan"] != "own":
        model = catalog.model(str(values["model_class"]))
        plan = preset_for(str(values["plan"]), model.options)
        check_plan(plan, model, {option.name: values[option.name] for option in model.options})


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.id)
def test_what_a_goal_sets_for_other_stages_is_allowed(goal: Goal) -> None:
    for stage_id in goal.settings:
        if stage_id != "train":
            values = goal.values_for(stage_id, 0)
            model_class = values.get("model_class")
            complete_values(catalog.options_of(catalog.stage(stage_id), model_class), values)


@pytest.mark.parametrize(("goal", "size"), SIZES, ids=NAMES)
def test_the_memory_that_is_told_is_what_the_options_come_to(goal: Goal, size: Size) -> None:
    values = trained_with(goal, size)
    shape = QUICK96 if values["model_class"] == "quick96" else {}
    reckoned = training_gib({**values, **shape})
    assert reckoned == pytest.approx(size.takes_gib, abs=0.06)
    assert not size.from_gib or reckoned <= size.from_gib * 2 / 3


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.id)
def test_a_larger_device_never_gets_a_smaller_model(goal: Goal) -> None:
    assert [size.from_gib for size in goal.sizes] == sorted({size.from_gib for size in goal.sizes})
    assert goal.sizes[0].from_gib == 0
    for smaller, larger in zip(goal.sizes, goal.sizes[1:], strict=False):
        for name in ("resolution", "ae_dims", "e_dims", "d_dims", "batch_size"):
            assert int(smaller.values.get(name, 0)) <= int(larger.values.get(name, 0))


def test_the_weights_that_memory_is_reckoned_by_are_those_of_the_reference() -> None:
    saehd = complete_values(catalog.model("saehd").options, {})
    assert weight_count(saehd) == 82_376_555
    assert weight_count({**saehd, "archi": "df-ud"}) == 54_470_998


def test_a_gpu_too_small_for_all_sizes_gets_the_smallest() -> None:
    assert goal("good-1080p").size_for(2.0) is goal("good-1080p").sizes[1]


def test_a_goal_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="unknown goal 'best'") as refused:
        goal("best")
    assert "head-swap" in refused.value.remedy
