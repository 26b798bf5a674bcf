from __future__ import annotations

import numpy as np

from engine.faces.face_type import FaceType
from engine.train.crops import CropKind
from engine.train.samples import Sampling
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import stream_for

SAMPLING = Sampling(CropKind(FaceType.FULL, 64), 3, scale=0.05)


def inputs(stream, count):
    return [stream.next().src.input_bgr for _ in range(count)]


def test_batches_come_in_order_whatever_the_number_of_threads(tmp_path):
    write_workspace(tmp_path, 4)
    with (
        stream_for(tmp_path, SAMPLING, threads=1) as one,
        stream_for(tmp_path, SAMPLING, threads=4) as many,
    ):
        for single, parallel in zip(inputs(one, 6), inputs(many, 6), strict=True):
            np.testing.assert_array_equal(single, parallel)


def test_a_stream_goes_on_where_another_stopped(tmp_path):
    write_workspace(tmp_path, 4)
    with stream_for(tmp_path, SAMPLING) as whole:
        expected = inputs(whole, 4)
    with stream_for(tmp_path, SAMPLING) as begun:
        inputs(begun, 2)
        drawn = begun.drawn
    with stream_for(tmp_path, SAMPLING, first=drawn) as resumed:
        np.testing.assert_array_equal(resumed.previous().src.input_bgr, expected[1])
        for found, wanted in zip(inputs(resumed, 2), expected[2:], strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_there_is_no_batch_before_the_first(tmp_path):
    write_workspace(tmp_path, 2)
    with stream_for(tmp_path, SAMPLING) as stream:
        assert stream.previous() is None
        batch = stream.next()
        assert stream.previous() is batch


def test_an_unwarped_batch_has_its_targets_as_inputs(tmp_path):
    write_workspace(tmp_path, 2)
    with stream_for(tmp_path, SAMPLING) as stream:
        batch = stream.next()
        np.testing.assert_array_equal(batch.unwarped().dst.input_bgr, batch.dst.target_bgr)
        assert (batch.dst.input_bgr != batch.dst.target_bgr).any()


def test_what_is_made_ahead_is_bounded(tmp_path):
    write_workspace(tmp_path, 2)
    with stream_for(tmp_path, SAMPLING, threads=2) as stream:
        for _ in range(3):
            stream.next()
        assert stream.rates.samples <= 2 * 3 * (3 + 2 + 2)
