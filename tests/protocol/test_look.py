"""The look, its options and the tables of functions say the same."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from engine.media.colour_transfer import TRANSFERS
from engine.media.filters import SHARPENERS
from engine.merge.compose import RAW_PREDICT
from engine.merge.mask_modes import MASK_MODES
from engine.merge.modes import MODES
from engine.protocol.look import Look
from engine.protocol.look_options import (
    COLOR_TRANSFER_MODE,
    LOOK_FIELDS,
    LOOK_OPTIONS,
    MASK_MODE,
    MODE,
    SHARPEN_MODE,
)
from engine.protocol.options import Option, complete_values


def test_every_setting_of_a_look_has_a_row_with_the_same_default() -> None:
    defaults = {field.name: field.default for field in fields(Look)}
    assert {option.name: option.default for option in LOOK_FIELDS} == defaults


@pytest.mark.parametrize(
    ("option", "functions"),
    [
        (MODE, {*MODES, RAW_PREDICT}),
        (MASK_MODE, {*MASK_MODES}),
        (COLOR_TRANSFER_MODE, {*TRANSFERS}),
        (SHARPEN_MODE, {*SHARPENERS, "none"}),
    ],
)
def test_every_choice_has_a_function_and_every_function_a_choice(
    option: Option, functions: set[str]
) -> None:
    assert set(option.kind.values) == functions


def test_a_look_is_made_from_a_stages_options_and_leaves_the_others() -> None:
    values = complete_values(LOOK_OPTIONS, {"erode_mask_modifier": "-7", "mode": "seamless"})
    look = Look.from_options({**values, "workers": "auto"})
    assert look == Look(erode_mask_modifier=-7, mode="seamless")


def test_looks_have_the_same_key_only_if_they_are_equal() -> None:
    assert Look().key() == Look().key()
    assert Look().key() != replace(Look(), blur_mask_modifier=1).key()
