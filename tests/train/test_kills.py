"""Training that is killed at random moments, also on a disk that fills, never loses a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.disks import small_disk
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow

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


def test_200_kills_leave_a_whole_newest_save_no_older_than_the_last_announced(tmp_path):
    facts = kill(write_workspace(tmp_path, 2), 200, seed=1)
    assert facts["while_training"] > 150
    assert facts["with_saves"] > 50, "most were killed before a save: a slow machine"
    assert facts["iteration"] > 100


def test_60_kills_on_a_disk_that_fills_leave_the_same(tmp_path):
    with small_disk(tmp_path / "disk", "4m") as disk:
        facts = kill(write_workspace(disk, 2), 60, seed=2)
    assert facts["with_saves"] > 5
