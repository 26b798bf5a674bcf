"""What a training would need, tried with the smallest models."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from engine.protocol.errors import InputError, Stopped
from engine.protocol.model_files import list_saves
from engine.protocol.workspace import Workspace
from engine.runtime import client
from engine.stages.train.run import run as train
from engine.stages.train_preflight import run as preflight
from engine.stages.train_preflight.words import tell_what_is_not_tried
from tests.support.context import context_for
from tests.support.tree import tree
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow  # starts processes that load TensorFlow

TINY = {
    "model_class": "saehd",
    "resolution": 64,
    "archi": "df",
    "ae_dims": 32,
    "e_dims": 16,
    "d_dims": 16,
    "d_mask_dims": 16,
    "batch_size": 2,
    "device": "cpu",
}


@pytest.mark.usefixtures("without_tracing")
def test_what_is_told_of_memory_disk_and_time_is_what_training_then_needs(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, 4)
    context = context_for(workspace, "train-preflight", **TINY, try_minutes=0, target_iter=3600)
    before = tree(workspace)
    preflight.run(context)
    facts = context.facts
    assert tree(workspace) == before, "nothing is made, nothing is left"
    assert facts["fits"] and 0.2 < facts["memory_gb"] < 4
    assert facts["hours_to_target"] == pytest.approx(1 / facts["iterations_per_s"], rel=0.05)
    assert facts["samples_wanted_per_s"] == pytest.approx(4 * facts["iterations_per_s"], rel=0.05)
    assert facts["samples_deliverable_per_s"] > 0
    assert facts["saves_fitting"] > facts["saves_wanted"] == 5
    assert any("encoder" in line for line in context.notes)
    assert any("wanted of these faces" in line for line in context.notes + context.warnings)

    train(context_for(workspace, "train", **TINY, target_iter=1))
    [save] = list_saves(Workspace(workspace).model("new", "saehd"))
    assert facts["save_gb"] == pytest.approx(save.bytes / 1e9, abs=0.001)


def test_larger_batches_are_tried_for_the_given_time_also_without_faces(tmp_path: Path) -> None:
    context = context_for(tmp_path, "train-preflight", **TINY, try_minutes=0.05)
    preflight.run(context)
    assert "made faces stand in" in context.warnings[0]
    assert context.facts["largest_batch_that_fits"] >= 2
    assert context.facts["smallest_batch_too_large"] is None
    assert not context.facts["all_batches_tried_in_time"]
    tried = [line for line in context.notes if line.startswith("batch 4 ")]
    assert tried, "each try is told"


def test_a_batch_that_takes_more_than_is_free_is_ended_and_smaller_ones_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Less than TensorFlow takes by itself, more than Python does.
    monkeypatch.setattr(preflight, "available_bytes", lambda: preflight.RESERVE_BYTES + 300_000_000)
    context = context_for(tmp_path, "train-preflight", **TINY)
    preflight.run(context)
    assert not context.facts["fits"]
    assert context.facts["largest_batch_that_fits"] == 0
    assert context.facts["smallest_batch_too_large"] == 1
    assert any(line.startswith("batch 2 is too large") for line in context.warnings)
    assert not _trials(psutil.Process())


def test_a_device_that_is_not_there_is_refused_as_in_training(tmp_path: Path) -> None:
    context = context_for(tmp_path, "train-preflight", **{**TINY, "device": "97"})
    with pytest.raises(InputError, match="no GPU 97"):
        preflight.run(context)


def test_a_stop_ends_the_trial_at_once(tmp_path: Path) -> None:
    context = context_for(tmp_path, "train-preflight", **TINY)
    context.stop_after = 1
    with pytest.raises(Stopped):
        preflight.run(context)
    assert not _trials(psutil.Process())


def test_a_trial_does_not_outlive_an_engine_that_is_killed(tmp_path: Path) -> None:
    run = client.start_run(Workspace(tmp_path), "train-preflight", TINY)
    process = run.process()
    assert process is not None
    engine = psutil.Process(process.pid)
    trials = _until(lambda: _trials(engine))
    engine.kill()
    _until(lambda: not any(_lives(trial) for trial in trials))
    assert client.run_info(run).state is client.RunState.CRASHED


def _trials(parent: psutil.Process) -> list[psutil.Process]:
    return [child for child in parent.children() if "spawn_main" in " ".join(child.cmdline())]


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _until(condition, limit_s: float = 120.0):
    """What `condition` gives once it is true."""
    end = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    ("options", "share"),
    [
        ({"workers": "10.0.0.1:4000,10.0.0.2:4000", "batch_size": 8}, "--batch-size 4"),
        ({"device": "0,1", "workers": "a:1,b:1", "batch_size": 8}, "--batch-size 2"),
    ],
)
def test_that_one_device_alone_is_tried_is_told_where_several_would_train(tmp_path, options, share):
    context = context_for(tmp_path, "train-preflight", **options)
    remedies = []
    context.warn = lambda text, remedy="": remedies.append(remedy)
    tell_what_is_not_tried(context)
    assert share in remedies[0]


def test_nothing_is_said_of_sharing_where_one_device_trains(tmp_path):
    context = context_for(tmp_path, "train-preflight")
    tell_what_is_not_tried(context)
    assert context.warnings == []
