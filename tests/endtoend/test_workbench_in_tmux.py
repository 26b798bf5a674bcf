"""The workbench in a real terminal: opened, a form filled, a stage started, seen to finish."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from engine.protocol.workspace import Workspace, list_images
from engine.runtime import client
from tests.support.clips import make_clip
from tests.support.command import facewright
from tests.support.terminal import in_tmux

pytestmark = [pytest.mark.terminal, pytest.mark.slow]
FRAMES = 47


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for side in ("src", "dst"):
        make_clip(tmp_path / f"data_{side}.mp4", frames=FRAMES)
    return Workspace(tmp_path)


def test_a_stage_is_started_from_its_form_and_seen_to_finish(workspace: Workspace) -> None:
    with in_tmux(workspace.root) as terminal:
        terminal.wait_for("data_src.mp4", "Next: Extract frames")
        terminal.type("Enter")
        terminal.wait_for("Start", "$ facewright run video-extract")
        terminal.type("F5")
        terminal.wait_for("done", str(FRAMES))
        terminal.type("Escape")
        terminal.wait_for(f"{FRAMES} frames")
    assert len(list_images(workspace.src.frames)) == FRAMES


def test_a_refused_value_is_shown_while_typing_and_cannot_be_started(workspace: Workspace) -> None:
    with in_tmux(workspace.root) as terminal:
        terminal.wait_for("Next: Extract frames")
        terminal.type("Enter")
        terminal.wait_for("$ facewright run video-extract")
        terminal.type("Tab")
        terminal.wait_for("How many frames of each second")
        terminal.type("9", "9", "9", "9", "9")
        terminal.wait_for("must be 0 to 240")
        terminal.type("F5")
        terminal.wait_for("must be 0 to 240")
    assert not workspace.src.frames.exists()


def test_the_app_ends_with_its_terminal_also_while_it_draws(tmp_path: Path) -> None:
    facewright("run", "demo-media", "-w", tmp_path, "--dst-frames", "600", "--detach")
    with in_tmux(tmp_path) as terminal:
        terminal.wait_for("demo-media")
        app = psutil.Process(terminal.pid())
    _, alive = psutil.wait_procs([app], timeout=60)
    assert alive == []
    facewright("stop", "-w", tmp_path)


def test_a_killed_app_leaves_the_run_going_and_a_new_one_shows_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    started = facewright("run", "demo-media", "-w", tmp_path, "--dst-frames", "300", "--detach")
    run_id = started.stdout.strip()
    with in_tmux(workspace.root) as terminal:
        terminal.wait_for("demo-media")
        os.kill(terminal.pid(), signal.SIGKILL)
    engine = client.find_run(workspace, run_id).process()
    assert engine is not None and psutil.pid_exists(engine.pid)
    with in_tmux(workspace.root, columns=80, rows=24) as terminal:
        terminal.wait_for("demo-media", "done", timeout_s=120)
    assert client.run_info(client.find_run(workspace, run_id)).state is client.RunState.DONE
