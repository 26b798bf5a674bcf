"""Several machines, here processes on the loopback, train one model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.models.saehd.model import Saehd
from engine.models.saehd.spec import SAEHD
from engine.protocol.errors import UsageError
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace
from engine.stages.train.run import run
from engine.train.generations import Generations
from tests.models.mean_of_halves import MeanOfHalves
from tests.support.context import context_for
from tests.support.ports import free_ports
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import stream_for

pytestmark = [pytest.mark.slow, pytest.mark.long]

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = {
    "archi": "df",
    "resolution": 64,
    "ae_dims": 32,
    "e_dims": 16,
    "d_dims": 16,
    "d_mask_dims": 16,
    "batch_size": 4,
}
SEED = 5
# Trains in a process of its own, says on stdout each iteration and how it ended.
TRAIN = """
import json, sys
from pathlib import Path
import tensorflow as tf
from engine.protocol.errors import FacewrightError, Stopped
from engine.stages.train.run import run
from tests.support.context import context_for

root, options, stop_after = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
tf.config.run_functions_eagerly(sys.argv[4] == "uncompiled")
context = context_for(Path(root), "train", device="cpu", model_class="saehd", **options)
context.stop_after = stop_after if stop_after > 0 else None
if stop_after < 0:  # as soon as it waits for others
    context.note = lambda text: setattr(context, "stop_requested", "waiting" in text)
recorded = context.progress

def progress(done, total, **more):
    print("iteration", done, flush=True)
    recorded(done, total, **more)

context.progress = progress
try:
    run(context)
    print("done")
except Stopped:
    print("stopped")
except FacewrightError as error:
    print("failed", error.code, error.message)
"""


class Workers:
    """Two processes, each with its workspace of equal faces."""

    def __init__(self, tmp_path: Path) -> None:
        first = write_workspace(tmp_path / "first", 4)
        shutil.copytree(first, tmp_path / "second")
        self.roots = [first, tmp_path / "second"]
        self.addresses = ",".join(f"127.0.0.1:{port}" for port in free_ports(2))
        self.processes: list[subprocess.Popen[str]] = []

    def start(
        self, number: int, *, stop_after: int = 0, steps: str = "compiled", **options
    ) -> subprocess.Popen[str]:
        """steps: `uncompiled` where nothing depends on how they are made."""
        chosen = {**options, "workers": self.addresses, "worker_index": number}
        arguments = [str(self.roots[number]), json.dumps(chosen), str(stop_after), steps]
        process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, *arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def newest_save(self):
        folder = Workspace(self.roots[0]).model("new", "saehd")
        return Generations(folder).newest(lambda text, remedy: None)


def last_line(process: subprocess.Popen[str]) -> str:
    """How the process ended."""
    lines = process.communicate(timeout=300)[0].splitlines()
    return lines[-1] if lines else ""


@pytest.fixture
def workers(tmp_path):
    found = Workers(tmp_path)
    yield found
    for process in found.processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def test_two_workers_learn_what_two_devices_would_and_the_first_alone_saves(workers):
    leader = workers.start(0, seed=SEED, target_iter=3, **SMALL)
    follower = workers.start(1)
    assert [last_line(leader), last_line(follower)] == ["done", "done"]
    assert not (workers.roots[1] / "model").exists()

    options = {**complete_values(SAEHD.options, SMALL)}
    alone = Saehd(options, seed=SEED, dtype="float32")
    reference = MeanOfHalves(alone)
    with stream_for(workers.roots[0], alone.sampling(), seed=SEED) as batches:
        for _ in range(3):
            reference.step(batches.next())
    saved = workers.newest_save()
    assert saved.manifest.iteration == 3
    assert saved.manifest.drawn == 12
    for file, tensors in alone.state().items():
        for name, value in tensors.items():
            np.testing.assert_allclose(
                saved.state[file][name], value, rtol=0, atol=1e-5, err_msg=f"{file} {name}"
            )


def test_a_stop_of_one_worker_stops_all_saved_and_they_go_on_together(workers):
    quick = {"steps": "uncompiled"}
    leader = workers.start(0, seed=SEED, target_iter=500, **quick, **SMALL)
    follower = workers.start(1, stop_after=3, **quick)
    assert [last_line(leader), last_line(follower)] == ["done", "stopped"]
    begun = workers.newest_save().manifest.iteration
    assert 3 <= begun <= 5

    leader = workers.start(0, target_iter=begun + 2, **quick)
    follower = workers.start(1, **quick)
    assert [last_line(leader), last_line(follower)] == ["done", "done"]
    assert workers.newest_save().manifest.iteration == begun + 2


def test_when_a_worker_dies_the_leader_saves_and_says_so(workers):
    leader = workers.start(0, seed=SEED, **SMALL)
    follower = workers.start(1)
    for line in follower.stdout:
        if line == "iteration 3\n":
            os.kill(follower.pid, signal.SIGKILL)
            break
    assert last_line(leader).startswith("failed worker-lost")
    assert workers.newest_save().manifest.iteration >= 3


def test_whoever_waits_for_others_can_be_stopped(workers):
    lonely = workers.start(0, stop_after=-1, **SMALL)
    assert last_line(lonely) == "stopped"


def test_a_number_beyond_the_list_is_refused(tmp_path):
    context = context_for(tmp_path, "train", workers="a:1,b:2", worker_index=2)
    with pytest.raises(UsageError, match="--worker-index 2: --workers names 2 machines"):
        run(context)
