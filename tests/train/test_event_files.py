"""TensorBoard's event files, read back with TensorFlow's own reader."""

from __future__ import annotations

import pytest

from engine.train import event_files
from engine.train.event_files import EventFiles
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.train.light_model import light_loop
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow  # starts TensorFlow


def train(workspace, **options):
    context = context_for(workspace, "train", **options)
    folder = workspace / "model" / "new_light"
    with light_loop(context, folder, companions=[EventFiles(folder, ("src", "dst"))]) as loop:
        loop.run()
    return folder


def values_of(folder):
    """(step, tag, value, plugin) of all event files."""
    import tensorflow as tf

    found = []
    for path in sorted((folder / "tensorboard").glob("events.out.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                found.append((event.step, value.tag, float(tf.make_ndarray(value.tensor)), plugin))
    return found


def test_losses_and_times_can_be_read_back_as_scalars(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "POINT_SECONDS", 0.0)
    folder = train(write_workspace(tmp_path, 2), target_iter=6, tensorboard=True)
    found = values_of(folder)
    src = {step: value for step, tag, value, _ in found if tag == "loss/src"}
    assert src == {step: pytest.approx(2 / step) for step in range(1, 7)}
    assert {tag for _, tag, _, _ in found} == {"loss/src", "loss/dst", "time/step_ms"}
    assert {plugin for _, _, _, plugin in found} == {"scalars"}


def test_a_second_of_quick_steps_is_one_point_their_mean(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "POINT_SECONDS", 1e9)
    folder = train(write_workspace(tmp_path, 2), target_iter=50, tensorboard=True)
    found = {step: value for step, tag, value, _ in values_of(folder) if tag == "loss/dst"}
    assert list(found) == [1, 50]
    assert found[50] == pytest.approx(sum(1 / step for step in range(2, 51)) / 49)


def test_nothing_is_written_unless_wanted(tmp_path):
    folder = train(write_workspace(tmp_path, 2), target_iter=3)
    assert not (folder / "tensorboard").exists()


def test_a_full_disk_does_not_end_training(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "POINT_SECONDS", 0.0)
    monkeypatch.setattr(event_files, "FLUSH_SECONDS", 0.0)
    with small_disk(tmp_path / "disk", "300k") as disk:
        context = context_for(write_workspace(disk, 2), "train", target_iter=30, tensorboard=True)
        folder = disk / "model" / "new_light"
        with light_loop(context, folder, companions=[EventFiles(folder, ("src", "dst"))]) as loop:
            step = loop.model.train_step

            def filling_step(batches, loss_limit=float("inf")):
                if loop.model.iteration == 10:
                    with pytest.raises(OSError), (disk / "filler").open("wb") as file:
                        file.write(bytes(1 << 20))
                if loop.model.iteration == 28:
                    (disk / "filler").unlink()
                return step(batches, loss_limit)

            loop.model.train_step = filling_step
            loop.run()
        assert loop.model.iteration == 30
        assert any("TensorBoard" in warning for warning in context.warnings)
