"""Training that is killed at random moments, also on a disk that fills, never loses a model."""

from __future__ import annotations

import json
import random
import select
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.train.generations import Generations
from tests.support.disks import small_disk
from tests.train.made_faces import write_workspace

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1200)]

REPOSITORY = Path(__file__).resolve().parents[2]


def kill(root: Path, kills: int, seed: int) -> dict[str, int]:
    """What `tests.train.kills` found; it fails where something does not hold after a kill."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.kills", str(root), str(kills), str(seed)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, int] = json.loads(done.stdout)
    return facts


def test_kills_leave_a_whole_newest_save_of_its_phase_no_older_than_the_last_announced(
    tmp_path, share_of_kills
):
    kills = round(200 * share_of_kills)
    facts = kill(write_workspace(tmp_path, 2), kills, seed=1)
    assert facts["while_training"] > kills * 0.75
    assert facts["with_saves"] > kills * 0.25, "most were killed before a save: a slow machine"
    assert facts["iteration"] > kills * 0.5


def test_kills_on_a_disk_that_fills_leave_the_same(tmp_path, share_of_kills):
    kills = max(30, round(60 * share_of_kills))  # most lives end with the disk's room, unsaved
    with small_disk(tmp_path / "disk", "4m") as disk:
        facts = kill(write_workspace(disk, 2), kills, seed=2)
    assert facts["with_saves"] > 1


# A real model, which takes seconds to start: each child goes on from what the kill before left.
TRAIN_TINY = """
import sys
from pathlib import Path
import tensorflow as tf
from engine.protocol.commands import Save
from tests.support.context import context_for
from tests.train.tiny_model import tiny_loop

tf.config.run_functions_eagerly(True)  # compiling its steps would take longer than its life
root = Path(sys.argv[1])
context = context_for(root, "train", keep=2)
context.saved = lambda iteration, path: print(iteration, flush=True)
context.commands = lambda: [Save()]
with tiny_loop(context, root / "model" / "new_tiny") as loop:
    print(loop.model.iteration, flush=True)
    loop.run()
"""


def test_a_real_model_killed_at_random_moments_goes_on_from_its_last_save(tmp_path, share_of_kills):
    rng = random.Random(3)
    root = write_workspace(tmp_path, 2)
    promised, kills = 0, max(2, round(5 * share_of_kills))
    for _ in range(kills):
        engine = subprocess.Popen(
            [sys.executable, "-c", TRAIN_TINY, str(root)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert engine.stdout is not None
        begun = int(engine.stdout.readline())
        assert begun >= promised
        for _ in range(rng.randrange(1, 6)):
            promised = int(engine.stdout.readline())
        select.select([engine.stdout], [], [], rng.uniform(0, 0.05))
        engine.kill()
        promised = max([promised, *(int(line) for line in engine.stdout.read().split())])
        engine.wait()
        engine.stdout.close()
        newest = Generations(root / "model" / "new_tiny").newest(refuse)
        assert newest is not None
        assert newest.manifest.iteration >= promised
        for file in newest.state.values():
            assert all(np.isfinite(tensor).all() for tensor in file.values())
    assert promised >= kills


def refuse(text: str, remedy: str) -> None:
    raise AssertionError(text)
