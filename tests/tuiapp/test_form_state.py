from __future__ import annotations

import pytest

from engine import catalog
from engine.protocol.options import Choice, Flag, Integer, Number, Option, Text, When
from engine.protocol.spec import StageSpec
from tuiapp.forms.form_state import FormState, state_for

FORMAT = Option("format", "Format", Choice((("png", ""), ("jpg", ""))), "png", "h")
QUALITY = Option("quality", "Quality", Integer(1, 100), 90, "h", applies=When("format", ("jpg",)))
CHROMA = Option("chroma", "Chroma", Flag(), True, "h", applies=When("quality", (90,)))
NAME = Option("name", "Name", Text(r"[a-z]+", "letters"), "new", "h")
RATE = Option("rate", "Rate", Number(0, 10), 2.0, "h")
STAGE = StageSpec("demo", "Demo", "Demo", "s", "m:f", (FORMAT, QUALITY, CHROMA, NAME, RATE))


def test_an_untouched_form_has_the_defaults_of_what_applies() -> None:
    state = state_for(STAGE, {})
    assert state.values == {"format": "png", "name": "new", "rate": 2.0}
    assert state.refusals == {}


def test_an_option_applies_as_soon_as_the_one_it_depends_on_has_the_value() -> None:
    state = state_for(STAGE, {}).entered("format", "jpg")
    assert state.values["quality"] == 90


def test_an_option_whose_governing_option_does_not_apply_does_not_either() -> None:
    assert "chroma" not in state_for(STAGE, {}).shown
    assert "chroma" in state_for(STAGE, {"format": "jpg"}).shown


def test_a_refused_text_says_why_and_never_becomes_a_value() -> None:
    state = state_for(STAGE, {"format": "jpg"}).entered("quality", "101")
    assert state.refusals == {"quality": "must be 1 to 100"}
    assert state.values["quality"] == 90


def test_a_refused_text_that_is_no_longer_shown_holds_up_nothing() -> None:
    state = state_for(STAGE, {"format": "jpg"}).entered("quality", "x").entered("format", "png")
    assert state.refusals == {}


def test_earlier_values_that_no_longer_fit_give_way_to_defaults() -> None:
    state = state_for(STAGE, {"format": "bmp", "name": "ok", "gone": 1, "rate": 3.5})
    assert state.values == {"format": "png", "name": "ok", "rate": 3.5}


def test_texts_of_fields_are_what_users_would_type() -> None:
    state = state_for(STAGE, {"rate": 4.0})
    assert state.raw["rate"] == "4"


def test_a_training_form_has_the_options_of_the_chosen_model_class() -> None:
    train = catalog.stage("train")
    for model in catalog.MODELS:
        names = {option.name for option in state_for(train, {"model_class": model.id}).options}
        assert {option.name for option in model.options} <= names


def test_a_model_class_that_does_not_exist_is_like_none() -> None:
    assert state_for(catalog.stage("train"), {"model_class": "nope"}).values["model_class"]


@pytest.mark.parametrize("spec", catalog.STAGES, ids=lambda spec: spec.id)
def test_the_defaults_of_every_stage_are_accepted_by_its_own_form(spec: StageSpec) -> None:
    state: FormState = state_for(spec, {})
    typed = FormState(state.options, {})
    for option in state.options:
        raw = option.default if isinstance(option.kind, Flag) else str(option.default)
        typed = typed.entered(option.name, raw)
    assert typed.refusals == {}
    assert typed.values == state.values


def test_a_default_that_follows_from_another_option_goes_on_following_it() -> None:
    spec = catalog.stage("train")
    begun = state_for(spec, {"model_class": "saehd", "d_dims": 48, "d_mask_dims": 16})
    assert begun.entered("d_dims", "96").values["d_mask_dims"] == 32
    chosen = state_for(spec, {"model_class": "saehd", "d_dims": 48, "d_mask_dims": 40})
    assert chosen.entered("d_dims", "96").values["d_mask_dims"] == 40


def test_the_options_of_a_model_that_exists_stand_as_it_was_last_trained() -> None:
    spec = catalog.stage("train")
    last_start = {"model": "anna", "model_class": "saehd", "batch_size": 8, "resolution": 160}
    anna = state_for(spec, last_start).of_model({"batch_size": 2, "resolution": 64})
    assert (anna.values["batch_size"], anna.values["resolution"]) == (2, 64)
    assert anna.entered("batch_size", "4").values["batch_size"] == 4
    assert anna.of_model({}).values["batch_size"] == 8


def test_what_a_model_was_made_with_cannot_be_changed_in_the_form() -> None:
    state = state_for(catalog.stage("train"), {"model_class": "saehd"})
    anna = state.of_model({"resolution": 64})
    assert "made with 64" in anna.entered("resolution", "128").refusals["resolution"]
    assert not anna.entered("resolution", "64").refusals
