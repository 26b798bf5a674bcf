"""Merging while one sees it, in a real terminal: a real session with a real model, by its keys."""

from __future__ import annotations

import os
import shutil
import signal

import pytest

from engine.protocol.timeline import look_at
from engine.protocol.timeline_file import read_timeline, timeline_path
from engine.protocol.workspace import Workspace, list_images
from engine.train.generations import Generations
from tests.merge.workspace import merge_workspace
from tests.models.tiny_saehd import saved_by, tiny_saehd
from tests.support.consent import agree
from tests.support.terminal import in_tmux

pytestmark = [pytest.mark.terminal, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1200)]
FRAMES = 4
# A session loads TensorFlow before it shows anything.
BEGINS_WITHIN_S = 240


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Frames with faces, and a model that says to be trained."""
    workspace = merge_workspace(tmp_path_factory.mktemp("merge"), frames=FRAMES)
    workspace.src.frames.mkdir(exist_ok=True)
    for frame in list_images(workspace.dst.frames):  # home asks for src pictures before merging
        shutil.copy(frame, workspace.src.frames)
    agree(workspace.root)  # and for consents before rendering
    shutil.copytree(workspace.dst.aligned, workspace.src.aligned, dirs_exist_ok=True)
    model = tiny_saehd()
    model.iteration = 1  # home offers to train one of 0
    saved = saved_by(model)
    Generations(workspace.model("tiny", "saehd")).write(saved.manifest, saved.state)
    return workspace


def looks(workspace: Workspace) -> list[int]:
    """How far the mask is eroded in each frame, by the file."""
    stems = [path.stem for path in list_images(workspace.dst.frames)]
    timeline = read_timeline(timeline_path(workspace, "tiny", "saehd"), stems)
    assert timeline is not None
    return [look_at(timeline, frame).erode_mask_modifier for frame in range(FRAMES)]


def test_a_killed_viewer_comes_back_to_its_session_and_all_looks_are_kept(
    workspace: Workspace,
) -> None:
    with in_tmux(workspace.root, columns=80, rows=24) as terminal:
        terminal.wait_for("Next: Merge")
        terminal.type("n")
        terminal.wait_for("Which way?", "Merge interactively")
        terminal.type("Enter")
        terminal.wait_for("facewright run merge-session")
        terminal.type("F5")
        terminal.wait_for("1/4", "Erode mask   0", timeout_s=BEGINS_WITHIN_S)
        terminal.type("W", "w", "/")
        terminal.wait_for("2/4  00002.png", "Erode mask   6")
        terminal.type(".", "S")
        terminal.wait_for("3/4  00003.png", "Erode mask   1")
        os.kill(terminal.pid(), signal.SIGKILL)
    with in_tmux(workspace.root) as terminal:
        terminal.wait_for("> running")
        terminal.type("F3")
        terminal.wait_for("3/4  00003.png", "Erode mask   1")
        terminal.type("C-z")
        terminal.wait_for("3/4  00003.png", "Erode mask   6")
        terminal.type("C-y", ">")
        terminal.wait_for("4 of 4 rendered")
        terminal.type("Escape")
        terminal.wait_for("Leave the merge?")
        terminal.type("Down", "Enter")
        terminal.wait_for("Next: Render result", "+ done")
    assert looks(workspace) == [6, 6, 1, 1]
    assert len(list_images(workspace.dst.merged)) == FRAMES
