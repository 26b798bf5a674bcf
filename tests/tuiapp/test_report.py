"""The report on a faceset, seen and gone through."""

from __future__ import annotations

import os

import pytest
from textual.pilot import Pilot

from engine.protocol.faceset_report import report_path
from engine.protocol.workspace import Workspace
from tests.tuiapp.faces_made import made_faces, made_index
from tests.tuiapp.made import made_run
from tests.tuiapp.report_made import made_coverage, made_report, write_report
from tests.tuiapp.seen import SIZES, opened, screen_text, sees, until
from tuiapp.app import FacewrightApp
from tuiapp.screens.faceset import FacesetScreen
from tuiapp.screens.report import ReportScreen
from tuiapp.screens.stage import StageScreen


@pytest.fixture
def reported(workspace: Workspace) -> Workspace:
    """12 faces on both sides, with an index, and a report on src."""
    for side in (workspace.src, workspace.dst):
        for old in side.aligned.iterdir():
            old.unlink()
        made_faces(side.aligned, 12)
    made_index(workspace, "src")
    write_report(workspace, made_report(made_coverage()))
    return workspace


def line_of(pilot: Pilot[None], text: str) -> str:
    return next(line for line in screen_text(pilot).splitlines() if text in line)


def names_shown(app: FacewrightApp) -> list[str]:
    assert isinstance(app.screen, FacesetScreen)
    return [face.name[:5] for face in app.screen.state.shown]


async def test_a_report_is_seen_whole_at_every_size(reported: Workspace) -> None:
    async with opened(reported) as (_, pilot):
        await pilot.press("t")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await sees(pilot, "Report on src", "12 faces of 11 frames  32x32 px  whole_face")
            await sees(pilot, "src covers 94% of 47 dst faces", "+90°", "-45°dn", "2!", "1!")
            await sees(pilot, "! Doubtful landmarks  2 faces with", "-> remove them")
            await sees(pilot, "! Lacking pose  2 dst faces in 1 hole of src", "-> add angles")
            await sees(pilot, "tab Map", "f Faces", "esc Back", "f1 Help", "^q Quit")


async def test_the_map_stays_a_map_where_it_is_narrow(reported: Workspace) -> None:
    async with opened(reported, (60, 20)) as (_, pilot):
        await pilot.press("t")
        await sees(pilot, "yaw    +90 +75 +60", "-60 -75 -90\n", "mouth all (m)", "Doubtful")


async def test_enter_on_a_face_shows_its_like_with_the_cursor_on_it(reported: Workspace) -> None:
    async with opened(reported) as (app, pilot):
        await pilot.press("t")
        await sees(pilot, "Doubtful landmarks")
        await pilot.press("down", "down", "enter")
        await sees(pilot, "12 faces, 2 shown", "only doubtful landmarks", "2.  00007_0.jpg")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        await pilot.press("f")
        await sees(pilot, "12 faces  by name")


async def test_a_finding_and_a_hole_lead_to_all_their_faces(reported: Workspace) -> None:
    async with opened(reported) as (app, pilot):
        await pilot.press("t")
        await sees(pilot, "Doubtful landmarks")
        await pilot.press("enter")
        await sees(pilot, "12 faces, 2 shown")
        assert names_shown(app) == ["00003", "00007"]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        await pilot.press("down", "down", "down", "down", "enter")
        await sees(pilot, "Faces of dst", "only hole: 30° to the left")
        assert names_shown(app) == ["00001", "00002"]


async def test_a_place_of_the_map_leads_to_its_dst_faces(reported: Workspace) -> None:
    made_index(reported, "dst")
    async with opened(reported) as (app, pilot):
        await pilot.press("t")
        await sees(pilot, "yaw +30° pitch +15°: dst 2 faces, 2 not covered; src 0")
        await pilot.press("tab", "enter")
        await sees(pilot, "Faces of dst", "only not covered, yaw +30° pitch +15°")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        await pilot.press("down", "l", "right", "m")
        await sees(pilot, "yaw 0° pitch 0°: dst 40 faces; src 8", "mouth closed (m)")
        await pilot.press("enter")
        await sees(pilot, "1 shown", "filter yaw>-7.5deg yaw<7.5deg pitch>-7.5deg pitch")
        assert names_shown(app) == ["00001"]


async def test_without_a_report_the_form_that_makes_one_opens(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        await sees(pilot, "no report on dst yet", "Faceset report")


async def test_a_report_that_cannot_be_read_says_what_to_do(workspace: Workspace) -> None:
    path = report_path(workspace, "src")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    async with opened(workspace) as (_, pilot):
        await pilot.press("t")
        await sees(pilot, "cannot be read", "run faceset-report again")


async def test_a_run_that_made_a_report_leads_to_it(reported: Workspace) -> None:
    run = made_run(reported, "faceset-report-done")
    async with opened(reported, attach=run.id) as (app, pilot):
        await sees(pilot, "done", "t Report", "f Faces")
        await pilot.press("t")
        await sees(pilot, "Report on src", "Doubtful landmarks")
        app.open_run_by_id(run.id)
        await sees(pilot, "done", "f Faces")
        await pilot.press("f")
        await sees(pilot, "Faces of src", "12 faces  by name")


async def test_faces_lead_to_their_report(reported: Workspace) -> None:
    async with opened(reported) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("t")
        await sees(pilot, "Report on src")


async def test_faces_that_are_gone_are_told(reported: Workspace) -> None:
    for name in ("00003_0.jpg", "00007_0.jpg"):
        (reported.src.aligned / name).unlink()
    async with opened(reported) as (_, pilot):
        await pilot.press("t")
        await sees(pilot, "Doubtful landmarks")
        await pilot.press("enter")
        await sees(pilot, "these faces are gone")


async def test_a_report_from_before_a_sort_says_that_names_may_be_of_others(
    reported: Workspace,
) -> None:
    for side in (reported.src, reported.dst):
        os.utime(side.aligned, (0, 0))
    async with opened(reported) as (_, pilot):
        await pilot.press("t")
        await sees(pilot, "Doubtful landmarks", "ago")
        assert "changed since" not in screen_text(pilot)
        (reported.src.aligned / "00003_0.jpg").rename(reported.src.aligned / "00013_0.jpg")
        (reported.src.aligned / "00001_0.jpg").rename(reported.src.aligned / "00003_0.jpg")
        await pilot.press("enter")
        await sees(pilot, "faces changed since the report was", "only doubtful landmarks")
        await pilot.press("escape")
        await sees(pilot, "ago  changed since (r)")


async def test_a_report_on_one_side_alone_has_no_map(reported: Workspace) -> None:
    write_report(reported, made_report(None))
    async with opened(reported) as (_, pilot):
        await pilot.press("t")
        await sees(pilot, "no coverage: dst had no faces", "Nearly identical")
        assert "+90°" not in screen_text(pilot)


async def test_texts_of_a_report_do_nothing_to_the_terminal(reported: Workspace) -> None:
    async with opened(reported) as (_, pilot):
        await pilot.press("t")
        await sees(pilot, "Doubtful landmarks")
        assert line_of(pilot, "00003_0.jpg").strip() == "00003_0.jpg  no [b]head"
