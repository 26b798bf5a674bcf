"""A training outlives the terminal that it was started from, and is found again with all of it."""

from __future__ import annotations

import json
import time

import pytest

from engine.protocol.history import HISTORY_NAME, read_history
from engine.train.generations import Generations
from tests.support.command import facewright, start_facewright
from tests.support.terminal import in_tmux
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow

SMALL = (
    *("--model-class", "saehd", "--resolution", "64", "--archi", "df", "--ae-dims", "32"),
    *("--e-dims", "16", "--d-dims", "16", "--d-mask-dims", "16", "--batch-size", "1"),
)


def wait_for_iterations(folder, count):
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        recorded = read_history(folder / HISTORY_NAME)
        if len(recorded) >= count:
            return len(recorded)
        time.sleep(0.2)  # another process writes it: there is nothing to wait on
    raise AssertionError(f"no {count} iterations in {folder}")


def test_a_training_goes_on_when_its_terminal_is_closed_and_is_attached_to_again(tmp_path):
    root = write_workspace(tmp_path, 2)
    folder = root / "model" / "new_saehd"
    with in_tmux("run", "train", "-w", root, *SMALL):
        wait_for_iterations(folder, 1)
    # The terminal is gone, and all that it had started was hung up.
    made = len(read_history(folder / HISTORY_NAME))
    reached = wait_for_iterations(folder, made + 5)
    attached = start_facewright("attach", "-w", root, "--json")
    assert facewright("stop", "-w", root).status == 0
    told, errors = attached.communicate(timeout=300)
    assert attached.returncode == 130, errors
    events = [json.loads(line) for line in told.splitlines()]
    assert events[0]["seq"] == 1, "the whole story is told, from before the terminal was closed"
    assert 1 in [event["iteration"] for event in events if event["ev"] == "saved"]
    last = Generations(folder).iterations()[-1]
    assert last >= reached
    recorded = [point.iteration for point in read_history(folder / HISTORY_NAME)]
    assert recorded == list(range(1, last + 1))
