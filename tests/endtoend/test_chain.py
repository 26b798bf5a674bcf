"""The main job by commands: two videos in, one swapped video out; and every stop on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engine.protocol.history import HISTORY_NAME, read_history
from engine.protocol.workspace import Workspace, list_images
from engine.runtime import client
from tests.support.clips import run_ffmpeg
from tests.support.command import facewright, start_facewright
from tests.support.consent import agree
from tests.support.shared import shared_path

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1200)]
# Enough for stages to be under way when they are stopped.
DST_FRAMES = 100


def run_stage(root: Path, *words: str) -> None:
    """Run a stage to its end with status 0."""
    done = facewright("run", *words, "-w", root, timeout_s=900)
    assert done.status == 0, done.stderr


def facts_of_video(path: Path) -> dict[str, object]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        packets = 0
        if container.streams.audio:
            container.seek(0)
            packets = sum(p.size > 0 for p in container.demux(container.streams.audio[0]))
        size = (frames[0].width, frames[0].height)
        return {
            "frames": len(frames),
            "rate": stream.average_rate,
            "size": size,
            "audio packets": packets,
        }


def stop_and_expect_130(
    process: subprocess.Popen[str], number: signal.Signals, after: str = '"progress"'
) -> None:
    assert process.stdout is not None
    assert any(after in line for line in process.stdout)
    process.send_signal(number)
    assert process.wait(timeout=10) == 130


def half_written(root: Path) -> list[str]:
    return [str(path) for path in root.rglob("*") if ".part" in path.name]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("pairA")
    shutil.copy(shared_path("media", "pairA_src.mp4"), root / "data_src.mp4")
    destination = str(shared_path("media", "pairA_dst.mp4"))
    cut = ["-frames:v", str(DST_FRAMES), "-shortest", "-c:a", "copy"]
    run_ffmpeg(["-i", destination, *cut, str(root / "data_dst.mp4")])
    agree(root)
    return Workspace(root)


def stop_and_go_on(root: Path, words: list[str], number: signal.Signals) -> None:
    """A stage that is stopped leaves nothing half written, and goes on when it is asked again."""
    stop_and_expect_130(start_facewright("run", *words, "-w", root, "--json"), number)
    assert half_written(root) == [], words
    run_stage(root, *words)


def kill_after_two_saves(workspace: Workspace, words: list[str]) -> int:
    """Kill that training; the iteration of its last save."""
    process = start_facewright("run", *words, "-w", workspace.root, "--json")
    assert process.stdout is not None
    saves = (line for line in process.stdout if '"saved"' in line)
    assert next(saves) and next(saves)
    [info] = [info for info in client.list_runs(workspace) if info.state.live]
    engine = info.folder.process()
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)
    assert process.wait(timeout=30) == 4
    return max(saves_of(workspace))


def saves_of(workspace: Workspace) -> list[int]:
    """The iterations of the model's saves."""
    return [int(p.name) for p in (workspace.model("new", "quick96") / "generations").iterdir()]


def test_faces_are_extracted_from_every_frame_and_each_stage_on_the_way_can_be_stopped(
    workspace: Workspace,
) -> None:
    """Each test here needs the one before it: it is one job, in order."""
    root = workspace.root
    stop_and_go_on(root, ["video-extract", "--side", "src", "--format", "jpg"], signal.SIGTERM)
    stop_and_go_on(root, ["video-extract", "--side", "dst"], signal.SIGINT)
    for frame in list_images(workspace.src.frames)[::2] + list_images(workspace.src.frames)[41:]:
        frame.unlink(missing_ok=True)
    stop_and_go_on(root, ["faces-extract", "--side", "src", "--face-type", "f"], signal.SIGTERM)
    stop_and_go_on(root, ["faces-extract", "--side", "dst", "--face-type", "f"], signal.SIGINT)
    for folders in (workspace.src, workspace.dst):
        stems = {path.stem.rpartition("_")[0] for path in list_images(folders.aligned)}
        assert stems == {path.stem for path in list_images(folders.frames)}
    assert len(list_images(workspace.dst.frames)) == DST_FRAMES


def test_a_killed_training_goes_on_from_its_last_save_without_holes_and_can_be_stopped(
    workspace: Workspace,
) -> None:
    root, words = workspace.root, ["train", "--batch-size", "2"]
    saved = kill_after_two_saves(workspace, [*words, "--save-minutes", "0.05"])
    going_on = start_facewright("run", *words, "-w", root, "--json")
    stop_and_expect_130(going_on, signal.SIGTERM, after='"losses"')
    assert half_written(root) == []
    stopped_at = max(saves_of(workspace))
    assert stopped_at > saved
    points = read_history(workspace.model("new", "quick96") / HISTORY_NAME)
    assert [point.iteration for point in points] == list(range(1, stopped_at + 1))


def test_a_result_is_like_the_destination_and_its_stages_can_be_stopped(
    workspace: Workspace,
) -> None:
    root = workspace.root
    stop_and_go_on(root, ["merge"], signal.SIGINT)
    stop_and_go_on(root, ["video-render"], signal.SIGTERM)
    assert facts_of_video(root / "result.mp4") == facts_of_video(root / "data_dst.mp4")


def test_the_swapped_face_differs_from_the_frame_only_where_the_face_is(
    workspace: Workspace,
) -> None:
    frame = cv2.imread(str(workspace.dst.frames / "00050.png")).astype(int)
    merged = cv2.imread(str(workspace.dst.merged / "00050.png")).astype(int)
    difference = np.abs(frame - merged).mean(axis=2)
    assert difference[150:380, 150:330].mean() > 5  # the face, by the manifest's boxes
    assert difference[:60].mean() < 0.5 and difference[460:].mean() < 0.5
