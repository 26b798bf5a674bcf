"""The main job by commands: two videos in, one swapped video out; and every stop on the way."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from engine.protocol.history import HISTORY_NAME, read_history
from engine.protocol.workspace import Workspace, list_images
from engine.runtime import client
from tests.support.command import facewright, start_facewright
from tests.support.consent import agree
from tests.support.shared import shared_path

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1200)]


def run_stage(root: Path, *words: str) -> dict[str, Any]:
    """Run a stage to its end with status 0; returns its facts."""
    done = facewright("run", *words, "-w", root, "--json", timeout_s=900)
    assert done.status == 0, done.stdout[-2000:] + done.stderr
    facts = [event["facts"] for event in done.events if event["ev"] == "result"]
    return {name: value for fact in facts for name, value in fact.items()}


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


def stop_and_expect_130(process: subprocess.Popen[str], number: signal.Signals) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if '"progress"' in line:
            break
    process.send_signal(number)
    assert process.wait(timeout=10) == 130


def half_written(root: Path) -> list[str]:
    return [str(path) for path in root.rglob("*") if ".part" in path.name]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("pairA")
    for side in ("src", "dst"):
        shutil.copy(shared_path("media", f"pairA_{side}.mp4"), root / f"data_{side}.mp4")
    agree(root)
    return Workspace(root)


def test_the_chain_gives_a_result_like_the_destination_and_every_stage_can_be_stopped(
    workspace: Workspace,
) -> None:
    """One long claim, in order, since each stage needs the one before it."""
    root = workspace.root
    chain: list[tuple[list[str], signal.Signals]] = [
        (["video-extract", "--side", "src", "--format", "jpg"], signal.SIGTERM),
        (["video-extract", "--side", "dst"], signal.SIGINT),
        (["faces-extract", "--side", "src", "--face-type", "f"], signal.SIGTERM),
        (["faces-extract", "--side", "dst", "--face-type", "f"], signal.SIGINT),
        (["train", "--target-iter", "12", "--batch-size", "2"], signal.SIGTERM),
        (["merge"], signal.SIGINT),
        (["video-render"], signal.SIGTERM),
    ]
    for words, number in chain:
        stop_and_expect_130(start_facewright("run", *words, "-w", root, "--json"), number)
        assert half_written(root) == [], words
        run_stage(root, *words)
    assert facts_of_video(root / "result.mp4") == facts_of_video(root / "data_dst.mp4")
    stems = {path.stem.rpartition("_")[0] for path in list_images(workspace.dst.aligned)}
    assert stems == {path.stem for path in list_images(workspace.dst.frames)}


def test_the_swapped_face_differs_from_the_frame_only_where_the_face_is(
    workspace: Workspace,
) -> None:
    frame = cv2.imread(str(workspace.dst.frames / "00100.png")).astype(int)
    merged = cv2.imread(str(workspace.dst.merged / "00100.png")).astype(int)
    difference = np.abs(frame - merged).mean(axis=2)
    assert difference[150:380, 150:330].mean() > 5  # the face, by the manifest's boxes
    assert difference[:60].mean() < 0.5 and difference[460:].mean() < 0.5


def test_a_killed_training_goes_on_from_its_last_save_with_a_history_without_holes(
    workspace: Workspace,
) -> None:
    words = ["train", "--batch-size", "2", "--save-minutes", "0.1"]
    words += ["--target-iter", "0", "-w", str(workspace.root)]  # no more that of the chain
    process = start_facewright("run", *words, "--json")
    assert process.stdout is not None
    saves = 0
    for line in process.stdout:
        saves += '"saved"' in line
        if saves == 2:
            break
    info = next(info for info in client.list_runs(workspace) if info.state.live)
    engine = info.folder.process()
    assert engine is not None
    import os

    os.kill(engine.pid, signal.SIGKILL)
    assert process.wait(timeout=30) == 4
    saved = max(int(p.name) for p in (workspace.model("new", "quick96") / "generations").iterdir())
    facts = run_stage(workspace.root, "train", "--batch-size", "2", "--target-iter", str(saved + 4))
    assert facts["iteration"] == saved + 4
    points = read_history(workspace.model("new", "quick96") / HISTORY_NAME)
    assert [point.iteration for point in points] == list(range(1, saved + 5))
