from __future__ import annotations

import numpy as np
import pytest

from engine.nets import layers, losses
from tests.nets.golden import golden_arrays


@pytest.fixture(scope="module")
def ops_npz():
    return golden_arrays("ops.npz")


@pytest.fixture(scope="module")
def batch():
    return golden_arrays("batch64.npz")


@pytest.mark.parametrize("window", [1, 2, 3, 5, 11, 22])
def test_structural_loss_is_the_references_for_odd_and_even_windows(ops_npz, batch, window):
    found = losses.dssim_by_channel(batch["src_target"][:2], batch["dst_target"][:2], window)
    np.testing.assert_allclose(found, ops_npz[f"dssim_{window}"], rtol=1e-4)


def test_structural_loss_of_a_picture_with_itself_is_nothing(ops_npz, batch):
    found = losses.dssim(batch["src_target"][:2], batch["src_target"][:2], 5)
    np.testing.assert_allclose(found, 0, atol=1e-6)


@pytest.mark.parametrize("sigma", ["0.5", "1", "2", "2.5", "8"])
def test_gaussian_blur_done_separably_is_the_references(ops_npz, batch, sigma):  # T17
    found = losses.gaussian_blur(batch["src_mask"][:2], float(sigma))
    np.testing.assert_allclose(found, ops_npz[f"gblur_{sigma}"], atol=2e-6)


def test_gaussian_blur_works_on_each_channel(ops_npz, batch):
    found = losses.gaussian_blur(batch["src_target"][:2], 2)
    np.testing.assert_allclose(found, ops_npz["gblur_rgb_2"], atol=2e-6)


def test_losses_are_float32_for_bfloat16_pictures(batch):
    picture = layers.ops.cast(batch["src_target"][:1], "bfloat16")
    assert losses.dssim(picture, batch["dst_target"][:1], 5).dtype == "float32"
    assert losses.mean_square(picture, batch["dst_target"][:1]).dtype == "float32"


def test_rearranging_pixels_is_the_references(ops_npz):
    q = ops_npz["q"]
    np.testing.assert_array_equal(layers.depth_to_space(q), ops_npz["d2s"])
    np.testing.assert_array_equal(layers.flatten_channel_major(q), ops_npz["flatten"])
    flat = ops_npz["flatten"]
    np.testing.assert_array_equal(layers.unflatten_channel_major(flat, 4, 8), q)


def test_pixel_norm_is_the_references(ops_npz, batch):
    flat = layers.ops.reshape(batch["src_target"][:2], (2, -1))
    np.testing.assert_allclose(layers.pixel_norm(flat), ops_npz["pixel_norm"], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "kernel", "stride"), [("k3", 3, 1), ("k5s2", 5, 2), ("k4s2", 4, 2)]
)
def test_convolutions_pad_as_the_reference_does(ops_npz, name, kernel, stride):
    conv = layers.Convolution(6, 5, kernel, stride, dtype="float32")
    conv.weight.assign(ops_npz[f"layer|Conv2D_{name}|weight:0"])
    conv.bias.assign(ops_npz[f"layer|Conv2D_{name}|bias:0"])
    expected = ops_npz[f"layer|Conv2D_{name}|out"]
    np.testing.assert_allclose(conv(ops_npz["layer_x"]), expected, atol=1e-5)


def test_the_dense_layer_is_the_references(ops_npz):
    dense = layers.Dense(6, 5, dtype="float32")
    dense.weight.assign(ops_npz["layer|Dense|weight:0"])
    dense.bias.assign(ops_npz["layer|Dense|bias:0"])
    # its input is not stored on its own: the first output pins rows of the layers' common input
    found = dense(ops_npz["layer_x"][:, 0, 0])
    np.testing.assert_allclose(found, ops_npz["layer|Dense|out"], atol=1e-5)


@pytest.mark.parametrize(("key", "sigma"), [("style_0.0", 0), ("style_8", 8)])
def test_style_distance_is_the_references(ops_npz, batch, key, sigma):
    found = losses.style_distance(batch["src_target"][:2], batch["dst_target"][:2], sigma)
    np.testing.assert_allclose(100 * found, ops_npz[key], rtol=1e-4)


def test_variation_runs_over_rows_and_columns(ops_npz, batch):  # T10
    found = losses.total_variation(batch["src_target"][:2])
    np.testing.assert_allclose(found, ops_npz["tv_mse"], rtol=1e-5)


def test_blurring_outside_leaves_the_inside_and_takes_no_colour_from_it():
    image = np.zeros((1, 128, 128, 3), np.float32)
    mask = np.zeros((1, 128, 128, 1), np.float32)
    mask[:, 32:96, 32:96] = 1
    image[:, 32:96, 32:96] = 1  # a white face
    image[:, :, :16] = 0.5
    found = losses.blurred_outside(image, mask, 128).numpy()
    np.testing.assert_allclose(found[mask[..., 0] == 1], 1, atol=1e-6)
    assert found[0, :, 20:][mask[0, :, 20:, 0] == 0].max() < 1e-6  # no white comes through
    assert 0.1 < found[0, 64, 16, 0] < 0.4  # the edge of the grey got soft


@pytest.mark.parametrize(
    ("judge", "sure"), [(losses.believed_real, 30), (losses.believed_made, -30)]
)
def test_a_judge_that_is_right_costs_nothing_and_one_that_is_unsure_costs_ln_2(judge, sure):
    logits = np.zeros((2, 4, 4, 1), np.float32)
    np.testing.assert_allclose(judge(logits), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(judge(logits + sure), 0, atol=1e-6)
    np.testing.assert_allclose(judge(logits - sure), 30, rtol=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
def test_transposed_convolutions_are_the_references(ops_npz, stride):
    conv = layers.TransposedConvolution(6, 5, 3, stride, dtype="float32")
    conv.weight.assign(ops_npz[f"layer|Conv2DTranspose_k3s{stride}|weight:0"])
    conv.bias.assign(ops_npz[f"layer|Conv2DTranspose_k3s{stride}|bias:0"])
    expected = ops_npz[f"layer|Conv2DTranspose_k3s{stride}|out"]
    np.testing.assert_allclose(conv(ops_npz["layer_x"]), expected, atol=1e-5)
