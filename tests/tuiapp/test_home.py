from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import msgspec

from engine import catalog
from engine.protocol.workspace import Workspace
from engine.provenance.marking import switch_marking
from engine.runtime.client import discard_run
from tests.support.consent import agree_by
from tests.tuiapp.made import made_run
from tests.tuiapp.seen import SIZES, opened, screen_text, sees, until
from tuiapp.app import farewell
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.stage import StageScreen
from tuiapp.screens.watching import WatchingScreen
from tuiapp.widgets.job_bar import job_text
from tuiapp.widgets.key_list import KeyList


async def test_home_tells_what_is_there_and_what_comes_next(workspace: Workspace) -> None:
    async with opened(workspace) as (_, pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await sees(pilot, "data_src.mp4  1.5 KB", "data_dst.mp4", "3 frames", "3 faces")
            await sees(pilot, "model    none", "merged   none", "marking  on", "consent  none")
            await sees(pilot, "Next: Train", "Extract frames", "none yet", "f1 Help")


async def test_home_tells_whose_consent_stands_how_and_that_marking_is_off(
    workspace: Workspace,
) -> None:
    agree_by(workspace.root, "src", "Anna", valid_until=date(2020, 1, 1))
    switch_marking(workspace, on=False, reason="marked in the house")
    async with opened(workspace) as (_, pilot):
        await sees(pilot, "consent  expired: Anna", "consent  none", "marking  OFF", "in the house")


async def test_the_form_of_a_consent_opens_by_the_palette(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        await pilot.press("ctrl+p", *"consent-record")
        await sees(pilot, "Consent: Record consent")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        await sees(pilot, "Whose consent it is.", "f5 Start")


async def test_an_empty_folder_says_what_to_put_there(tmp_path: Path) -> None:
    async with opened(Workspace(tmp_path)) as (_, pilot):
        await sees(pilot, "data_src.mp4", "data_dst.mp4", "facewright demo")
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_opening_a_workspace_writes_nothing_into_it(workspace: Workspace) -> None:
    before = sorted(workspace.root.rglob("*"))
    async with opened(workspace) as (_, pilot):
        await sees(pilot, "Next: Train")
    assert sorted(workspace.root.rglob("*")) == before


async def test_enter_on_the_next_step_opens_its_form(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        await sees(pilot, "Next: Train")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        assert isinstance(app.screen, StageScreen)
        assert app.screen.spec.id == "train"


async def test_every_stage_can_be_reached_from_the_list_by_keys(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        await pilot.press("s")
        stages = app.screen.query_one("#stages", KeyList)
        reached = set()
        for _ in catalog.STAGES:
            assert stages.highlighted_option is not None
            reached.add(stages.highlighted_option.id)
            await pilot.press("j")
        assert reached == {spec.id for spec in catalog.STAGES}


async def test_stages_are_found_by_words_and_opened_by_enter(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        await sees(pilot, "Extract frames", "/ filter")
        await pilot.press("slash", *"sort fac")
        await sees(pilot, "Sort faces", f"of {len(catalog.STAGES)}  esc all")
        assert "Extract frames" not in screen_text(pilot)
        await pilot.press("x")
        await sees(pilot, "no stage of these words", "0 of ")
        await pilot.press("backspace", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        assert isinstance(app.screen, StageScreen)
        assert app.screen.spec.id == "faceset-sort"
        await pilot.press("escape")
        await sees(pilot, "Sort faces", f"of {len(catalog.STAGES)}  esc all")
        await pilot.press("escape")
        await sees(pilot, "Extract frames", "/ filter")
        await pilot.press("slash", *"merge", "escape")
        await sees(pilot, "Extract frames", "/ filter")
        assert app.focused is app.screen.query_one("#stages")


async def test_runs_stand_with_their_state_newest_first_and_open(workspace: Workspace) -> None:
    made_run(workspace, "faces-extract-done")
    made_run(workspace, "video-extract-failed")
    async with opened(workspace, (120, 40)) as (app, pilot):
        await sees(pilot, "+ done", "faces-extract", "! failed", "12/300", "the disk")
        text = screen_text(pilot)
        assert text.index("+ done") < text.index("! failed")
        await pilot.press("u", "enter")
        await until(pilot, lambda: isinstance(app.screen, WatchingScreen))
        await sees(pilot, "faces: 39")


async def test_a_step_that_is_being_done_leads_to_its_run(workspace: Workspace) -> None:
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace) as (app, pilot):
        await sees(pilot, "Now: Train", "is going on")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, WatchingScreen))


async def test_the_job_bar_shows_every_run_that_goes_on(workspace: Workspace) -> None:
    made_run(workspace, "train-running", alive=True)
    async with opened(workspace) as (_, pilot):
        await sees(pilot, "train  10%  4.0 it/s  7m30s to go  src 0.2285  dst 0.1628")


async def test_a_run_that_was_refused_before_it_began_leaves_the_job_bar(
    workspace: Workspace,
) -> None:
    run = made_run(workspace, "train-running")
    run.journal_path.unlink()
    (run.path / "engine.json").unlink(missing_ok=True)
    job = msgspec.json.decode(run.job_path.read_bytes())
    run.job_path.write_bytes(msgspec.json.encode({**job, "created": time.time()}))
    async with opened(workspace) as (_, pilot):
        await sees(pilot, "train  starting")
        discard_run(workspace, run)
        await until(pilot, lambda: "train  starting" not in screen_text(pilot))


def test_a_session_by_hand_has_no_rate_and_no_time_to_go_in_the_job_bar() -> None:
    view = RunView(stage="label-session", state=ViewState.RUNNING, done=2, total=28, eta_s=56.0)
    assert job_text(view) == "label-session"


async def test_a_name_with_markup_and_escapes_is_shown_as_text(tmp_path: Path) -> None:
    (tmp_path / "data_src.[b]\x1b[2J[").write_bytes(b"x")
    async with opened(Workspace(tmp_path)) as (_, pilot):
        await sees(pilot, "data_src.[b][")


def test_leaving_says_that_runs_go_on_and_how_to_stop_them() -> None:
    workspace = Workspace(Path("/w"))
    assert farewell([], workspace) is None
    text = farewell([RunView(run="r1", stage="train")], workspace)
    assert text is not None
    assert "train goes on" in text
    assert "facewright stop r1 -w /w" in text


async def test_a_workspace_of_deepfacelab_opens_as_it_is(workspace: Workspace) -> None:
    root = workspace.root
    (root / "model").mkdir()
    (root / "model" / "me_SAEHD_data.dat").write_bytes(b"\x80\x04never read by the app")
    (root / "model" / "me_SAEHD_encoder.npy").write_bytes(b"x" * 2000)
    (root / "data_src" / "aligned" / "faceset.pak").write_bytes(b"pack")
    for folder in ("merged", "merged_mask"):
        (root / "data_dst" / folder).mkdir()
        (root / "data_dst" / folder / "00001.png").write_bytes(b"x" * 1000)
    (root / "result.mp4").write_bytes(b"x" * 5000)
    async with opened(workspace) as (_, pilot):
        await sees(pilot, "me (SAEHD), DeepFaceLab's", "packed, 3 loose faces")
        await sees(pilot, "1 frame  1.0 KB, 1 mask", "result.mp4  5.0 KB")


async def test_merging_is_offered_with_and_without_seeing_it(workspace: Workspace) -> None:
    save = workspace.model("me", "quick96") / "generations" / "00000001"
    save.mkdir(parents=True)
    (save / "manifest.json").write_text("{}")
    async with opened(workspace) as (_, pilot):
        await sees(pilot, "Next: Merge")
        await pilot.press("n")
        await sees(pilot, "Which way?", "Merge interactively")
        await pilot.press("enter")
        await sees(pilot, "Model class", "$ facewright run merge-session")
