"""The models of a workspace, seen and worked on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.protocol.model_cards import ModelCard, model_cards
from engine.protocol.workspace import Workspace
from tests.models.dfm.made_dfm import made_dfm
from tests.tuiapp.made import made_run, made_workspace
from tests.tuiapp.models_made import made_model, models_workspace
from tests.tuiapp.seen import SMALL, HeldReading, opened, screen_text, sees, until
from tests.tuiapp.test_faceset import colours_seen
from tuiapp.app import FacewrightApp
from tuiapp.bridge.model_list import ModelList
from tuiapp.bridge.model_words import shape_words
from tuiapp.bridge.preview_archive import read_picture
from tuiapp.screens.models.screen import ModelsScreen
from tuiapp.screens.stage import StageScreen
from tuiapp.widgets.key_list import KeyList

LARGE = (140, 45)


@pytest.fixture
def models(tmp_path: Path) -> Workspace:
    return models_workspace(tmp_path)


async def listed(app: FacewrightApp, pilot: Pilot[None], *texts: str) -> ModelsScreen:
    await pilot.press("o")
    await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
    await sees(pilot, *texts)
    assert isinstance(app.screen, ModelsScreen)
    return app.screen


async def form(app: FacewrightApp, pilot: Pilot[None]) -> StageScreen:
    await until(
        pilot, lambda: isinstance(app.screen, StageScreen) and app.screen.query("StageForm")
    )
    assert isinstance(app.screen, StageScreen)
    return app.screen


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_list_tells_of_every_model_what_it_is(
    models: Workspace, size: tuple[int, int]
) -> None:
    async with opened(models, size) as (app, pilot):
        await sees(pilot, "o Models")
        await listed(app, pilot, "hero  SAEHD  200 iterations", "256 px liae-ud f  1h00m ago")
        await sees(pilot, "villain  SAEHD  200 iterations", "192 px df-ud f", "2 saves, 1 snapshot")
        await sees(pilot, "old  SAEHD", "DeepFaceLab's: enter imports it")
        await sees(pilot, "a Actions", "t Train", "m Merge", "z Reset", "x Delete", "esc Back")
        await until(pilot, lambda: any(r > 180 and g < 40 for r, g, _ in colours_seen(pilot)))
        await pilot.press("j")
        await sees(pilot, "no preview yet")


async def test_a_look_that_takes_long_is_let_finish(
    models: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, painted = HeldReading(), []

    def counted_paint(screen: ModelsScreen) -> None:
        painted.append(screen)
        paint(screen)

    paint = ModelsScreen.paint
    monkeypatch.setattr("tuiapp.screens.models.screen.model_cards", held.of(model_cards))
    monkeypatch.setattr("tuiapp.screens.models.screen.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(ModelsScreen, "paint", counted_paint)
    async with opened(models, LARGE) as (app, pilot):
        await listed(app, pilot, "looking ...")
        await until(pilot, lambda: len(painted) > 3)
        assert held.begun == 1
        held.go_on.set()
        await sees(pilot, "hero  SAEHD  200 iterations")


async def test_a_screen_may_be_left_while_its_picture_is_read(
    models: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldReading()
    async with opened(models, LARGE) as (app, pilot):
        screen = await listed(app, pilot, "hero  SAEHD  200 iterations")
        assert screen.card is not None and screen.card.preview is not None
        monkeypatch.setattr("tuiapp.screens.models.screen.read_picture", held.of(read_picture))
        loading = asyncio.create_task(screen._load(screen.card.preview))
        await until(pilot, lambda: held.begun)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.query("#newest"))
        held.go_on.set()
        await loading


async def test_without_models_the_list_says_how_to_come_by_one(tmp_path: Path) -> None:
    async with opened(made_workspace(tmp_path)) as (app, pilot):
        await listed(app, pilot, "No models here yet", "t  train a new one", "i  import one")
        await pilot.press("t")
        assert (await form(app, pilot)).spec.id == "train"


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_enter_shows_options_losses_and_saves_of_a_model(
    models: Workspace, size: tuple[int, int]
) -> None:
    async with opened(models, size) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("enter")
        await sees(pilot, "Models > hero", "Architecture", "liae-ud", "src 0.", "dst 0.")
        await sees(pilot, "★ save at 200", "save at 100", "snapshot good eyes at 100")
        await sees(pilot, "150 backup")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))


async def test_two_marked_models_are_compared(models: Workspace) -> None:
    async with opened(models) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("space", "j")
        await sees(pilot, "* hero", "c Compare")
        await pilot.press("c")
        await sees(pilot, "hero (SAEHD)", "villain (SAEHD)", "liae-ud", "df-ud")
        text = screen_text(pilot)
        assert "Batch size" not in text
        row = next(line for line in text.splitlines() if "Architecture" in line)
        head = next(line for line in text.splitlines() if "hero (SAEHD)" in line)
        assert row.index("liae-ud") == head.index("hero"), "the values stand under their model"
        await pilot.press("a")
        await sees(pilot, "Batch size")


async def test_a_model_is_renamed_deleted_and_brought_back_by_keys(models: Workspace) -> None:
    async with opened(models) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("r")
        await sees(pilot, "Rename the model", "now: hero")
        await pilot.press(*"star", "enter")
        await sees(pilot, "star  SAEHD  200 iterations")
        assert models.model("star", "saehd").is_dir()
        await choose(app, pilot, "star")
        await pilot.press("x")
        await sees(pilot, "Delete the model?", "star (saehd)", "brings it back.")
        await pilot.press("n")
        await sees(pilot, "star  SAEHD")
        await pilot.press("x", "y")
        await until(pilot, lambda: not models.model("star", "saehd").exists())
        await until(pilot, lambda: "star  SAEHD" not in screen_text(pilot))
        await pilot.press("u")
        await sees(pilot, "star  SAEHD  200 iterations")


async def choose(app: FacewrightApp, pilot: Pilot[None], name: str) -> None:
    """Put the highlight on the model of that name."""
    await pilot.press("g")
    for _ in range(8):
        if at_hand(app) == name:
            return
        await pilot.press("j")
    raise AssertionError(f"{name} is not in the list")


def at_hand(app: FacewrightApp) -> str:
    assert isinstance(app.screen, ModelsScreen)
    return app.screen.card.name if app.screen.card else ""


async def test_a_taken_name_is_refused_with_what_to_do(models: Workspace) -> None:
    async with opened(models) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("d", *"villain", "enter")
        await sees(pilot, "there is a model villain of class saehd", "give another name")


async def test_a_reset_offers_what_the_nets_allow_explains_it_and_asks(models: Workspace) -> None:
    async with opened(models) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("z")
        await sees(pilot, "Make what anew?", "Reuse on a new dst", "inter_AB (RTM)", "inter_B of")
        assert "inter_src" not in screen_text(pilot).replace("inter_dst of", "")
        await pilot.press("j", "j")
        await sees(pilot, "500 000")
        await pilot.press("enter")
        await sees(pilot, "Reset inter_AB?", "becomes a snapshot")
        await pilot.press("n")
        assert not list(models.runs.glob("*"))


async def test_pretraining_opens_the_form_with_the_faces_that_were_chosen(
    models: Workspace,
) -> None:
    async with opened(models) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("p")
        await sees(pilot, "Pretrain with which faces?", "faces of dst", "faceset.pak")
        await pilot.press("j", "enter")
        values = (await form(app, pilot)).form.state.values
        assert values["model"] == "hero"
        assert values["pretrain"] is True
        assert values["pretrain_faces"] == str(models.dst.aligned)


async def test_models_of_others_can_only_be_imported_or_merged_with(models: Workspace) -> None:
    made_model(models, "mask", model_class="xseg")
    made_dfm(models.models / "ready.dfm")
    (models.models / "broken.dfm").write_bytes(b"no model")
    async with opened(models) as (app, pilot):
        await listed(app, pilot, "hero")
        await choose(app, pilot, "old")
        await until(pilot, lambda: "t Train" not in screen_text(pilot))
        await pilot.press("r", "x", "z", "t")
        assert isinstance(app.screen, ModelsScreen)
        await pilot.press("enter")
        assert (await form(app, pilot)).form.state.values["dfl_name"] == "old"
        await pilot.press("escape")
        await listed(app, pilot, "mask  XSeg", "ready  DFM", "32 px  to merge with only")
        await sees(pilot, "broken  DFM", "cannot be merged with: it is no ONNX")
        await choose(app, pilot, "ready")
        await pilot.press("enter")
        await sees(pilot, "Which way?")
        await pilot.press("escape")
        await choose(app, pilot, "mask")
        await pilot.press("m")
        opened_form = await form(app, pilot)
        assert opened_form.spec.id == "xseg-apply"
        assert opened_form.form.state.values["xseg_model"] == "mask"


async def test_all_actions_can_be_chosen_by_name(models: Workspace) -> None:
    async with opened(models) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("a")
        await sees(pilot, "Do what with the model?", "Rename: Give the model another name.")
        await pilot.press("enter")
        assert (await form(app, pilot)).spec.id == "train"


async def test_a_save_is_restored_or_deleted_after_asking(models: Workspace) -> None:
    async with opened(models, LARGE) as (app, pilot):
        await listed(app, pilot, "hero")
        await pilot.press("enter")
        await sees(pilot, "save at 100")
        await pilot.press("j", "enter")
        await sees(pilot, "Go back to this save?", "the save of iteration 100")
        await pilot.press("n")
        saves = app.screen.query_one("#saves", KeyList)
        await pilot.press("G", "x")
        await sees(pilot, "Delete the save?", "good eyes")
        await pilot.press("y")
        snapshot = models.model("hero", "saehd") / "snapshots" / "good eyes"
        await until(pilot, lambda: not snapshot.exists())
        await until(pilot, lambda: saves.option_count == 2)


async def test_a_model_that_a_run_trains_says_so(tmp_path: Path) -> None:
    workspace = made_workspace(tmp_path)
    made_model(workspace, "new", model_class="quick96")
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace) as (app, pilot):
        await listed(app, pilot, "new  Quick96  200 iterations", "> training")


def test_a_third_mark_takes_the_place_of_the_oldest() -> None:
    state = ModelList()
    state.replace(ModelCard(name, "saehd", "facewright", 1, 0) for name in "abc")
    for card in state.cards:
        state.toggle_mark(card.key)
    pair = state.pair(None)
    assert pair is not None
    assert [card.name for card in pair] == ["b", "c"]
    state.replace(state.cards[:2])
    assert state.pair(None) is None
    assert state.pair(state.cards[0].key) is not None


def test_a_shape_is_told_as_far_as_options_tell_it() -> None:
    assert shape_words({"resolution": 256, "archi": "df", "face_type": "wf"}) == "256 px df wf"
    assert shape_words({"batch_size": 4}) == ""
