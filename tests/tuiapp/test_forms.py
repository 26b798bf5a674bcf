from __future__ import annotations

import json
import shlex

import pytest
from textual.app import App
from textual.widgets import Button

from engine import catalog
from engine.protocol.options import Choice, Flag, Integer, Kind, Number
from engine.protocol.spec import StageSpec
from engine.protocol.workspace import Workspace
from tests.tuiapp.seen import opened, screen_text, sees, until
from tuiapp.forms.form_state import FormState
from tuiapp.forms.memory import remember_values
from tuiapp.forms.option_row import OptionRow
from tuiapp.forms.stage_form import StageForm
from tuiapp.forms.widgets import FIELD_OF_KIND, ChoiceField, FlagField, NumberField
from tuiapp.screens.stage import StageScreen


def test_every_option_kind_has_a_field() -> None:
    assert set(FIELD_OF_KIND) == set(Kind.__args__)


async def test_every_stage_has_a_form_with_all_of_its_options() -> None:
    app: App[None] = App()  # a tenth of what opening each in the whole app takes
    async with app.run_test():
        for spec in catalog.STAGES:
            form = StageForm(spec, {}, lambda values: {})
            await app.mount(form)
            rows = {row.option.name: row for row in form.query(OptionRow)}
            assert set(rows) == {option.name for option in catalog.options_of(spec)}
            for row in rows.values():
                visible = row.option.name in form.state.shown and not row.option.advanced
                assert row.display == visible, f"{spec.id} {row.option.name}"
            await form.remove()


async def test_a_value_out_of_range_is_refused_as_one_types_and_holds_up_the_start(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract")
        await until(pilot, lambda: app.screen.query("#row-jpeg_quality"))
        app.screen.query_one("#row-jpeg_quality NumberField").focus()
        await pilot.press("5", "0", "0")
        await sees(pilot, "! must be 1 to 100", "look at: JPEG quality")
        assert app.screen.query_one("#start", Button).disabled
        await pilot.press("f5")
        assert isinstance(app.screen, StageScreen)
        await pilot.press("backspace")
        await until(pilot, lambda: "must be" not in screen_text(pilot))
        assert not app.screen.query_one("#start", Button).disabled


async def test_labels_and_fields_keep_apart_and_numbers_stay_readable_where_it_is_narrow(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faceset-export-masks")
        await sees(pilot, "Hull where there is none [ ] no")
        await pilot.press("escape")
        await pilot.resize_terminal(60, 20)
        app.open_form("faces-extract")
        await sees(pilot, "auto px")


async def test_what_is_typed_at_a_number_replaces_it(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract", {"jpeg_quality": 8})
        await until(pilot, lambda: app.screen.query("#row-jpeg_quality"))
        field = app.screen.query_one("#row-jpeg_quality NumberField", NumberField)
        field.focus()
        await pilot.press("5")
        assert field.value == "5"
        await pilot.press("1")
        assert field.value == "51"


async def test_a_field_that_follows_another_shows_what_it_follows_to(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("train", {"model_class": "saehd"})
        await until(pilot, lambda: app.screen.query("#row-d_mask_dims"))
        masks = app.screen.query_one("#row-d_mask_dims NumberField", NumberField)
        app.screen.query_one("#row-d_dims NumberField").focus()
        await pilot.press("9", "6")
        await until(pilot, lambda: masks.value == "32")
        await pilot.press("backspace", "backspace", "4", "8")
        await until(pilot, lambda: masks.value == "16")
        assert "d_mask_dims" not in app.screen.query_one(StageForm).state.raw


async def test_the_name_of_a_model_brings_the_options_it_was_last_trained_with(
    workspace: Workspace,
) -> None:
    save = workspace.model("anna", "saehd") / "generations" / "00000007"
    save.mkdir(parents=True)
    options = {"resolution": 64, "random_warp": False}
    (save / "manifest.json").write_text(json.dumps({"iteration": 7, "options": options}))
    async with opened(workspace) as (app, pilot):
        app.open_form("train", {"model": "new", "model_class": "saehd"})
        await until(pilot, lambda: app.screen.query("#row-random_warp"))
        app.screen.query_one("#row-model TextField").focus()
        await pilot.press(*"anna")
        resolution = app.screen.query_one("#row-resolution NumberField", NumberField)
        await until(pilot, lambda: resolution.value == "64")
        assert not app.screen.query_one(StageForm).state.values["random_warp"]
        assert app.screen.query_one("#row-random_warp FlagField", FlagField).render() == "[ ] no"
        await pilot.press("2")
        await until(pilot, lambda: resolution.value == "128")


async def test_what_a_run_changed_after_its_form_was_opened_is_what_the_next_one_begins_with(
    workspace: Workspace,
) -> None:
    save = workspace.model("anna", "saehd") / "generations" / "00000007"
    save.mkdir(parents=True)

    def saves(**options: object) -> None:
        (save / "manifest.json").write_text(json.dumps({"iteration": 7, "options": options}))

    saves(random_warp=True, uniform_yaw=False)
    async with opened(workspace) as (app, pilot):
        app.open_form("train", {"model": "anna", "model_class": "saehd", "random_warp": True})
        await until(pilot, lambda: app.screen.query("#row-random_warp"))
        batch = app.screen.query_one("#row-batch_size NumberField", NumberField)
        batch.value = "6"
        form = app.screen.query_one(StageForm)
        await until(pilot, lambda: form.state.values["batch_size"] == 6)
        saves(random_warp=False, uniform_yaw=True, batch_size=12)
        form.renew()
        assert not form.state.values["random_warp"]
        assert form.state.values["uniform_yaw"]
        assert form.state.values["batch_size"] == 6, "it was entered since"
        warp = app.screen.query_one("#row-random_warp FlagField", FlagField)
        await until(pilot, lambda: warp.render() == "[ ] no")


async def test_the_first_field_has_the_focus(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        for stage_id in ("train", "faces-extract"):
            app.open_form(stage_id)
            await sees(pilot, f"facewright run {stage_id}", "f5 Start")
            first = next(iter(app.screen.query(OptionRow)))
            await until(pilot, lambda first=first: app.focused is first.field)


async def test_a_choice_shows_and_hides_the_options_that_depend_on_it(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("video-extract")
        await until(pilot, lambda: app.screen.query("#row-format"))
        assert "JPEG quality" not in screen_text(pilot)
        app.screen.query_one("#row-format ChoiceField").focus()
        await pilot.press("right")
        await sees(pilot, "JPEG quality", "--format jpg")


async def test_advanced_options_are_folded_until_f6_and_open_when_one_was_changed(
    workspace: Workspace,
) -> None:
    async with opened(workspace, (80, 30)) as (app, pilot):
        app.open_form("faces-extract")
        await sees(pilot, "advanced options (f6)")
        row = app.screen.query_one("#row-detection_size", OptionRow)
        assert not row.display
        await pilot.press("f6")
        await until(pilot, lambda: row.display)
        await pilot.press("escape")
        app.open_form("faces-extract", {"detection_size": 960})
        await until(pilot, lambda: app.screen.query("#row-detection_size"))
        await until(pilot, lambda: app.screen.query_one("#row-detection_size").display)


async def test_numbers_go_up_and_down_by_their_step_within_their_range(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract", {"jpeg_quality": 99})
        await until(pilot, lambda: app.screen.query("#row-jpeg_quality"))
        field = app.screen.query_one("#row-jpeg_quality NumberField", NumberField)
        field.focus()
        await pilot.press("up", "up")
        assert field.value == "100"
        await pilot.press("down")
        assert field.value == "99"


async def test_flags_and_choices_turn_by_keys(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract")
        await until(pilot, lambda: app.screen.query("#row-fresh"))
        app.screen.query_one("#row-fresh FlagField", FlagField).focus()
        await pilot.press("y")
        await sees(pilot, "[x] yes", "--fresh")
        await pilot.press("space")
        await sees(pilot, "[ ] no")
        choice = app.screen.query_one("#row-face_type ChoiceField", ChoiceField)
        choice.focus()
        await pilot.press("right")
        assert choice.value == "f"


async def test_the_help_of_the_option_at_hand_is_shown_with_its_default(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract")
        await until(pilot, lambda: app.screen.query("#row-max_faces"))
        app.screen.query_one("#row-max_faces NumberField").focus()
        await sees(pilot, "the largest first", "Default: 0.")


async def test_the_form_is_filled_with_the_last_start_and_reset_by_f8(
    workspace: Workspace,
) -> None:
    remember_values(workspace, "faces-extract", {"side": "src", "jpeg_quality": 77})
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract")
        await until(pilot, lambda: app.screen.query(StageForm))
        form = app.screen.query_one(StageForm)
        assert form.state.values["jpeg_quality"] == 77
        assert form.query_one("#row-jpeg_quality NumberField", NumberField).value == "77"
        await pilot.press("f8")
        await until(pilot, lambda: form.state.values["jpeg_quality"] == 90)
        assert form.query_one("#row-jpeg_quality NumberField", NumberField).value == "90"


async def test_the_next_steps_values_go_before_those_of_the_last_start(
    workspace: Workspace,
) -> None:
    remember_values(workspace, "faces-extract", {"side": "src"})
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract", {"side": "dst"})
        await until(pilot, lambda: app.screen.query(StageForm))
        assert app.screen.query_one(StageForm).state.values["side"] == "dst"


async def test_the_command_line_is_copied_by_f7(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract", {"side": "src"})
        await sees(pilot, "--side src")
        await pilot.press("f7")
        words = shlex.split(app.clipboard)
        assert words[:5] == ["facewright", "run", "faces-extract", "-w", str(workspace.root)]
        assert words[5:] == ["--side", "src"]


async def test_enter_goes_from_field_to_field_and_then_to_start(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("video-cut")
        await until(pilot, lambda: app.screen.query("#row-to"))
        app.screen.query_one("#row-from TextField").focus()
        await pilot.press("enter")
        assert app.focused is app.screen.query_one("#row-to TextField")
        await pilot.press("enter", "enter")
        assert app.focused is app.screen.query_one("#start")


async def test_a_form_shows_by_its_border_whether_its_fields_are_in_use(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("video-cut")
        await until(pilot, lambda: app.focused is not None)
        form = app.screen.query_one(StageForm)
        in_use = form.styles.border
        app.screen.query_one("#start").focus()
        await until(pilot, lambda: form.styles.border != in_use)
        app.screen.query_one("#row-to TextField").focus()
        await until(pilot, lambda: form.styles.border == in_use)


async def test_another_model_class_brings_its_options_and_keeps_what_was_entered(
    workspace: Workspace,
) -> None:
    if len(catalog.MODELS) < 2:
        pytest.skip("one model class only")
    async with opened(workspace) as (app, pilot):
        app.open_form("train", {"model": "kept", "model_class": catalog.MODELS[0].id})
        await until(pilot, lambda: app.screen.query("#row-model_class"))
        app.screen.query_one("#row-model_class ChoiceField").focus()
        await pilot.press("right")
        form = app.screen.query_one(StageForm)
        wanted = catalog.options_of(catalog.stage("train"), catalog.MODELS[1].id)
        await until(pilot, lambda: form.state.options == wanted)
        assert form.state.values["model"] == "kept"
        assert app.focused is app.screen.query_one("#row-model_class ChoiceField")


async def test_a_ready_made_model_is_chosen_and_asks_what_its_faces_show(
    workspace: Workspace,
) -> None:
    merge = catalog.stage("merge")
    before = catalog.models_of(merge)[-2]
    async with opened(workspace) as (app, pilot):
        app.open_form("merge", {"model": "new_SAEHD_model", "model_class": before.id})
        await until(pilot, lambda: app.screen.query("#row-model_class"))
        form = app.screen.query_one(StageForm)
        assert "face_type" not in form.state.shown
        app.screen.query_one("#row-model_class ChoiceField").focus()
        await pilot.press("right")
        await until(pilot, lambda: form.state.options == catalog.options_of(merge, "dfm"))
        assert {"face_type", "morph_factor"} <= form.state.shown
        assert form.state.values["model"] == "new_SAEHD_model" and not form.state.refusals


@pytest.mark.parametrize("spec", catalog.STAGES, ids=lambda spec: spec.id)
def test_what_a_form_accepts_the_engine_accepts(spec: StageSpec) -> None:
    options = catalog.options_of(spec)
    state = FormState(options, {})
    for option in options:
        for raw in _typed(option.kind):
            entered = state.entered(option.name, raw)
            if option.name in entered.shown and option.name not in entered.refusals:
                assert option.parse(entered.values[option.name]) == entered.values[option.name]


def _typed(kind: Kind) -> list[object]:
    if isinstance(kind, Flag):
        return [True, False]
    if isinstance(kind, Choice):
        return list(kind.values)
    if isinstance(kind, Integer | Number):
        return [str(kind.minimum), str(kind.maximum), str(kind.maximum + 1), "x", ""]
    return ["auto", "", "1", "12.5", "01:30"]


async def test_every_range_is_shown_whole_from_120_columns_on(workspace: Workspace) -> None:
    async with opened(workspace, (120, 60)) as (app, pilot):
        app.open_form("train", {"model_class": "saehd"})
        await sees(pilot, "pixels (64 to 640, in steps of 16)")
