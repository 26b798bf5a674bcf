"""The demo: from nothing to a swapped clip, and more training goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from engine.protocol.survey import survey
from engine.protocol.workspace import Workspace
from tests.support.command import facewright


def frames_and_audio(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0)), len(container.streams.audio)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_demo_makes_a_result_and_a_second_demo_trains_on(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = facewright("demo", folder, "--train-minutes", "0.1", timeout_s=600)
    assert first.status == 0, first.stderr
    assert str(folder / "result.mp4") in first.stderr
    assert frames_and_audio(folder / "result.mp4") == frames_and_audio(folder / "data_dst.mp4")
    trained = survey(Workspace(folder)).models[0].iteration
    again = facewright("demo", folder, "--train-minutes", "0.1", timeout_s=600)
    assert again.status == 0, again.stderr
    more = survey(Workspace(folder)).models[0].iteration
    assert trained is not None and more is not None and more > trained >= 1
