"""The demo: from nothing to a swapped clip, stopped on the way and gone on with."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import IO

import av
import pytest

from engine.protocol.survey import survey
from engine.protocol.workspace import Workspace
from tests.support.clips import run_ffmpeg
from tests.support.command import facewright, start_facewright

FRAMES = 12


def frames_and_audio(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0)), len(container.streams.audio)


def interrupt_when(process: subprocess.Popen[str], told: IO[str] | None, part: str) -> None:
    """Ctrl-C once that is told; the demo says by its status that it was stopped."""
    assert told is not None
    assert any(part in line for line in told)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def shorten(clip: Path) -> None:
    """To its first frames, with their sound."""
    short = clip.with_name(f"short{clip.suffix}")
    cut = ["-frames:v", str(FRAMES), "-shortest", "-c:a", "copy"]
    run_ffmpeg(["-i", str(clip), *cut, str(short)])
    short.replace(clip)


def trained(folder: Path) -> int:
    iteration = survey(Workspace(folder)).models[0].iteration
    assert iteration is not None
    return iteration


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_demo_makes_its_clips_and_one_that_was_stopped_trains_on_and_ends_with_a_result(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "demo"
    first = start_facewright("demo", folder)
    interrupt_when(first, first.stderr, "video-extract --side src")
    clips = [folder / f"data_{side}.mp4" for side in ("src", "dst")]
    assert [frames_and_audio(clip) for clip in clips] == [(120, 0), (75, 1)]
    shutil.rmtree(folder / "data_src", ignore_errors=True)
    for clip in clips:
        shorten(clip)
    second = start_facewright("demo", folder, "--json")
    interrupt_when(second, second.stdout, '"losses"')
    stopped_at = trained(folder)
    third = facewright("demo", folder, "--train-minutes", "0.02", timeout_s=600)
    assert third.status == 0, third.stderr
    assert str(folder / "result.mp4") in third.stderr
    assert frames_and_audio(folder / "result.mp4") == (FRAMES, 1)
    assert trained(folder) > stopped_at >= 1
