from __future__ import annotations

import pytest

from engine.protocol.look import Look, changed_look
from engine.protocol.look_options import LOOK_OPTIONS
from engine.protocol.look_presets import LOOK_PRESETS, PRESET_LOOK_OPTIONS
from engine.protocol.options import complete_values


def look_of(**given):
    return Look.from_options(complete_values(PRESET_LOOK_OPTIONS, given))


def test_without_a_preset_a_look_is_the_usual_one():
    assert look_of() == Look()
    assert look_of(mode="seamless") == Look(mode="seamless")


@pytest.mark.parametrize("preset", LOOK_PRESETS, ids=lambda preset: preset.id)
def test_a_preset_sets_what_it_says_and_nothing_else(preset):
    assert look_of(preset=preset.id) == changed_look(Look(), preset.changes)


def test_what_is_given_goes_before_the_preset():
    look = look_of(preset="dfl1-seamless", mask_mode="dst", color_transfer_mode="lct")
    assert (look.mode, look.mask_mode, look.color_transfer_mode) == ("seamless", "dst", "lct")


def test_every_mode_of_1_0_has_its_preset():
    modes = {preset.changes["mode"] for preset in LOOK_PRESETS if "mode" in preset.changes}
    known = next(option for option in LOOK_OPTIONS if option.name == "mode").kind.values
    assert modes == set(known) - {"original"}
