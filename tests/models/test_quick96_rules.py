from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from engine.models.quick96.model import Quick96
from engine.protocol.errors import StageError
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import OPTIONS, stream_for, tiny_model


@pytest.fixture
def stream(tmp_path):
    write_workspace(tmp_path, 3)
    model = tiny_model()
    with stream_for(tmp_path, model.sampling()) as batches:
        yield model, batches


def test_every_third_step_repeats_the_batch_before_unwarped_and_draws_none(stream):
    model, batches = stream
    kinds = []
    previous = None
    for iteration in range(7):
        model.iteration = iteration
        drawn_before = batches.drawn
        batch = model.next_batch(batches)
        repeated = batches.drawn == drawn_before
        if repeated:
            np.testing.assert_array_equal(batch.src.target_bgr, previous.src.target_bgr)
            np.testing.assert_array_equal(batch.src.input_bgr, batch.src.target_bgr)
            np.testing.assert_array_equal(batch.dst.input_bgr, batch.dst.target_bgr)
        kinds.append("repeat" if repeated else "new")
        previous = batch
    assert kinds == ["new", "new", "new", "repeat", "new", "new", "repeat"]


def test_it_trains_full_faces_of_96_px_bent_a_little_and_mirrors_only_what_is_asked():
    class Unbuilt(Quick96):
        def __init__(self, options):  # the nets are not needed to ask
            self.options = options

    plain = Unbuilt(OPTIONS).sampling()
    assert (plain.kind.side_px, plain.kind.face_type.short, plain.scale) == (96, "f", 0.05)
    assert plain.warp
    assert not plain.mirror
    assert Unbuilt({**OPTIONS, "random_dst_flip": True}).sampling().mirror == {"dst"}


def test_a_device_without_enough_memory_is_told_with_what_to_do(stream, monkeypatch):
    def too_large(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    model, batches = stream
    monkeypatch.setattr(model, "_step", too_large)
    with pytest.raises(StageError, match="too little memory for 2 faces") as refused:
        model.train_step(batches)
    assert "smaller batch size" in refused.value.remedy
    assert model.iteration == 0
