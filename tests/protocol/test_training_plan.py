from __future__ import annotations

import json

import pytest

from engine.protocol.errors import InputError, UsageError
from engine.protocol.options import Choice, Flag, Integer, Life, Number, Option
from engine.protocol.plan_presets import PRESETS, presets_for
from engine.protocol.spec import ModelSpec
from engine.protocol.training_plan import (
    Flat,
    Phase,
    Plan,
    Reset,
    check_plan,
    plan_path,
    read_plan,
    scaled,
    write_plan,
)


def row(name, kind, default, life=Life.RUNNING):
    return Option(name, name, kind, default, "", life=life)


def refuse_gan_with_warp(values):
    if values["gan_power"] and values["random_warp"]:
        raise UsageError("a GAN wants no warp", "turn warp off")


SPEC = ModelSpec(
    id="made",
    title="Made",
    summary="",
    code="",
    options=(
        row("random_warp", Flag(), True),
        row("gan_power", Number(0, 5), 0.0),
        row("lr_dropout", Choice((("n", ""), ("y", ""))), "n"),
        row("resolution", Integer(64, 640, 16), 128, Life.CREATION),
    ),
    loss_names=("src", "dst"),
    check=refuse_gan_with_warp,
)


def plan_of(*phases, **details):
    return Plan(title="made", phases=phases, **details)


def test_a_plan_is_read_as_it_was_written(tmp_path):
    plan = plan_of(
        Phase(name="one", changes={"random_warp": True}, at_least=5, at_most=10, flat=Flat()),
        Phase(name="two", reset=Reset(nets=("inter_AB",), every=7)),
        note="made",
    )
    write_plan(plan_path(tmp_path), plan)
    assert read_plan(plan_path(tmp_path)) == plan


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "truncated"),
        ("{", "truncated"),
        ('{"title": "t", "phases": []}', "phases"),
        ('{"title": "t", "phases": [{"name": "a", "colour": 1}]}', "colour"),
        ('{"title": "t", "phases": [{"name": "a", "at_most": -1}]}', "at_most"),
        ('{"title": "t", "phases": [{"name": "a", "flat": {"window": 1}}]}', "window"),
        ('{"title": "t", "phases": [{"name": ""}]}', "name"),
        ('{"title": "t", "phases": [{"name": "a", "changes": {"b": [1]}}]}', "changes"),
        ("\udcff", "plan"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_what_is_wrong_and_where(tmp_path, text, where):
    path = plan_path(tmp_path)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=where) as refused:
        read_plan(path)
    assert refused.value.remedy


def test_a_plan_that_is_missing_or_far_too_long_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_plan(plan_path(tmp_path))
    huge = {"title": "t", "phases": [{"name": "a"}], "note": "x" * 300_000}
    plan_path(tmp_path).write_text(json.dumps(huge))
    with pytest.raises(InputError, match="too long"):
        read_plan(plan_path(tmp_path))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"gan_pwer": 0.1}, "gan-pwer"),
        ({"gan_power": 6}, "0 to 5"),
        ({"lr_dropout": True}, "lr-dropout"),
        ({"resolution": 256}, "while training"),
        ({"gan_power": 0.1}, "wants no warp"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_naming_phase_and_option(changes, named):
    plan = plan_of(Phase(name="first", at_most=5), Phase(name="second", changes=changes))
    with pytest.raises(UsageError, match=named) as refused:
        check_plan(plan, SPEC)
    assert "'second'" in refused.value.message


def test_values_are_checked_as_they_are_when_the_phase_begins():
    gan = Phase(name="gan", changes={"gan_power": 0.1})
    no_warp = Phase(name="no warp", changes={"random_warp": False}, at_most=5)
    check_plan(plan_of(no_warp, gan), SPEC)
    check_plan(plan_of(gan), SPEC, {"random_warp": False})


@pytest.mark.parametrize(
    "plan",
    [
        plan_of(Phase(name="a", at_most=5), Phase(name="a")),
        plan_of(Phase(name="a"), Phase(name="b")),
        plan_of(Phase(name="a", at_least=6, at_most=5)),
        plan_of(Phase(name="a"), stop=True),
    ],
)
def test_phases_that_cannot_follow_each_other_are_refused(plan):
    with pytest.raises(UsageError, match="'a'"):
        check_plan(plan, SPEC)


def test_a_scaled_plan_has_that_share_of_all_iterations_and_none_becomes_endless():
    plan = plan_of(
        Phase(name="a", at_least=1000, at_most=3, flat=Flat(window=500)),
        Phase(name="b", reset=Reset(nets=("inter_AB",), every=50)),
    )
    first, second = scaled(plan, 0.1).phases
    assert (first.at_least, first.at_most, first.flat.window) == (100, 1, 50)
    assert (second.at_most, second.reset.every) == (0, 5)


def test_presets_are_of_sound_form_and_survive_a_file(tmp_path):
    for preset, plan in PRESETS.items():
        names = {name for phase in plan.phases for name in phase.changes}
        rows = tuple(row(name, AnyValue(), 0) for name in names)
        check_plan(plan, made_spec(rows))
        write_plan(tmp_path / "plan.json", plan)
        assert read_plan(tmp_path / "plan.json") == plan
        assert plan.origin == preset
        assert "starting points" in plan.note


class AnyValue:
    name = "any"

    def parse(self, raw):
        return raw

    def range_text(self):
        return "anything"


def made_spec(rows):
    return ModelSpec(id="m", title="", summary="", code="", options=rows, loss_names=())


def test_only_presets_whose_options_a_model_has_are_offered():
    assert presets_for(SPEC.options) == {}
    names = {name for phase in PRESETS["standard"].phases for name in phase.changes}
    assert set(presets_for(row(name, AnyValue(), 0) for name in names)) == {"standard", "quick"}
