"""A session killed at any moment loses no face that was told as kept, and leaves none half."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from pathlib import Path

import numpy as np
import pytest

from engine.faces.face_file import read_face_data
from engine.media.images import read_image_bgr_u8
from engine.protocol.events import ManualFace, ManualState
from engine.protocol.manual_commands import ManualGo, ManualKeep
from engine.protocol.workspace import FACE_SUFFIXES, Workspace, list_images
from tests.stages.extracting import workspace
from tests.stages.faces_manual.serving import serving, square

pytestmark = pytest.mark.slow  # starts processes

FRAMES = 8


def _keep_all(root: Path, told: int) -> None:
    """Keep the face of one frame after the other, and tell each by a byte."""
    with serving(root, accurate=False) as viewer:
        for frame in range(FRAMES):
            viewer.send(ManualGo(frame=frame), square(frame, seq=frame + 1))
            since = viewer.send(ManualKeep(frame=frame))
            viewer.first(ManualFace, since, lambda face: face.kept)
            os.write(told, bytes([frame]))


def _killed(root: Path, after: int, delay_s: float) -> int:
    """How many faces were told as kept before the process was killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            _keep_all(root, writing)
        except Exception:
            traceback.print_exc()
            raise
        finally:
            os._exit(0)
    os.close(writing)
    told = b""
    while len(told) < after and (more := os.read(reading, 1)):
        told += more
    time.sleep(delay_s)  # the moment is what is tried out
    os.kill(pid, signal.SIGKILL)
    while more := os.read(reading, FRAMES):
        told += more
    os.close(reading)
    os.waitpid(pid, 0)
    return len(told)


@pytest.mark.parametrize("seed", range(6))
def test_what_was_told_as_kept_is_there_after_a_kill_and_the_session_goes_on(
    tmp_path: Path, seed: int
) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", range(FRAMES))
    chance = random.Random(seed)
    told = _killed(root, chance.randint(0, FRAMES - 3), chance.random() * 0.1)
    files = list_images(Workspace(root).dst.aligned, FACE_SUFFIXES)
    assert len(files) in (told, told + 1)
    for path in files:
        data = read_face_data(path)
        assert data is not None and data.source_landmarks is not None
        assert read_image_bgr_u8(path).shape == (512, 512, 3)
        assert np.isfinite(data.source_landmarks).all()
    with serving(root) as viewer:
        assert viewer.first(ManualState).frame == len(files)
    assert not list(Workspace(root).dst.aligned.glob(".*"))
