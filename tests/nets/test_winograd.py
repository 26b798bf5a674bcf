from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from engine.nets import winograd

SHAPES = [(2, 6, 10, 5, 7), (1, 16, 16, 64, 32)]  # n, h, w, c, o


def made(shape, seed):
    return tf.constant(np.random.default_rng(seed).standard_normal(shape, np.float32))


def plain(x, weight):
    return tf.nn.conv2d(x, tf.cast(weight, x.dtype), 1, "SAME")


def result_and_gradients(convolve, x, weight, upstream):
    with tf.GradientTape() as tape:
        tape.watch([x, weight])
        y = convolve(x, weight)
    return [y, *tape.gradient(y, [x, weight], tf.cast(upstream, y.dtype))]


def relative_errors(dtype, shape):
    """Of the result and both gradients, against plain convolutions in float64."""
    n, h, w, c, o = shape
    x, weight, upstream = made((n, h, w, c), 1), made((3, 3, c, o), 2), made((n, h, w, o), 3)
    found = result_and_gradients(winograd.convolve, tf.cast(x, dtype), weight, upstream)
    exact = [tf.cast(t, tf.float64) for t in (x, weight, upstream)]
    expected = result_and_gradients(plain, *exact)
    for one, other in zip(found, expected, strict=True):
        error = np.float64(one) - other.numpy()
        yield np.sqrt(np.mean(error**2)) / np.std(other)


@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_and_both_gradients_are_those_of_a_plain_convolution(shape):
    assert max(relative_errors(tf.float32, shape)) < 2e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_in_bfloat16_pictures_are_as_exact_as_plain_ones_and_gradients_nearly(shape):
    picture, *gradients = relative_errors(tf.bfloat16, shape)
    assert picture < 3e-3
    assert max(gradients) < 1e-2


def test_weights_learn_in_float32_whatever_is_computed_in():
    x, weight = tf.cast(made((1, 4, 4, 3), 1), tf.bfloat16), made((3, 3, 3, 2), 2)
    y, of_x, of_weight = result_and_gradients(winograd.convolve, x, weight, made((1, 4, 4, 2), 3))
    assert (y.dtype, of_x.dtype, of_weight.dtype) == (tf.bfloat16, tf.bfloat16, tf.float32)


@pytest.mark.parametrize(
    ("pictures", "filters"),
    [
        ((None, 32, 32, 256), (3, 3, 256, 256)),
        ((4, 32, 32, 256), (5, 5, 256, 256)),
        ((4, 17, 17, 256), (3, 3, 256, 256)),
        ((4, 32, 32, 128), (3, 3, 128, 3)),
        ((1, 8, 8, 256), (3, 3, 256, 256)),
    ],
)
def test_it_is_left_alone_where_it_does_not_work_or_does_not_pay(pictures, filters):
    assert not winograd.pays(pictures, filters)


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="GPUs have their own ways")
def test_it_takes_the_large_convolutions_of_decoders():
    assert winograd.pays((4, 32, 32, 256), (3, 3, 256, 512))
