from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from engine.models.quick96.model import Quick96
from engine.models.quick96.spec import QUICK96
from engine.nets.initialisation import load_weights
from engine.protocol.options import complete_values
from tests.nets.golden import golden_arrays, recipe_tensor
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow  # starts processes or nets

OPTIONS = complete_values(QUICK96.options, {"batch_size": 4})


@pytest.fixture(scope="module")
def recipe_model():
    model = Quick96(OPTIONS, seed=1, dtype="float32")
    for net_name, net in model.autoencoder.nets.items():
        tensors = {
            name: recipe_tensor(f"{net_name}/{name}", tuple(variable.shape))
            for name, variable in net.named_weights()
        }
        load_weights(net, net_name, tensors)
    return model


@pytest.fixture(scope="module")
def golden():
    return json.loads(shared_path("golden", "nets", "quick96", "quick96.json").read_text())


def side(arrays, name):
    batch = {"input": "warped", "target": "target", "mask": "mask"}
    return {key: tf.constant(arrays[f"{name}_{part}"][[0, 1, 0, 1]]) for key, part in batch.items()}


def test_a_model_has_as_many_weights_as_the_reference(recipe_model):
    weights = [v for net in recipe_model.autoencoder.nets.values() for _, v in net.named_weights()]
    assert sum(int(np.prod(variable.shape)) for variable in weights) == 38_294_330


def test_predictions_are_the_references(recipe_model):
    arrays = golden_arrays("quick96", "batch96.npz")
    expected = golden_arrays("quick96", "forward.npz")
    nets = recipe_model.autoencoder
    codes = nets.codes(arrays["src_warped"][:1], arrays["dst_warped"][:1])
    found = {
        "pred_src_src": nets.decoder_src.image(codes.src),
        "pred_dst_dst": nets.decoder_dst.image(codes.dst),
        "pred_dst_dstm": nets.decoder_dst.mask(codes.dst),
        "pred_src_dst": nets.decoder_src.image(codes.swap),
        "pred_src_dstm": nets.decoder_src.mask(codes.swap),
    }
    for key, value in found.items():
        np.testing.assert_allclose(value[:, ::2, ::2], expected[f"{key}_stride2"], atol=2e-5)


def test_losses_and_every_tensors_gradient_are_the_references(recipe_model, golden):
    arrays = golden_arrays("quick96", "batch96.npz")
    weights = [
        (f"{net_name}/{name}", variable.value)
        for net_name, net in recipe_model.autoencoder.nets.items()
        for name, variable in net.named_weights()
    ]
    with tf.GradientTape() as tape:
        objective = recipe_model.objective(side(arrays, "src"), side(arrays, "dst"))
        src, dst = objective.shown
        total = tf.reduce_sum(src + dst)
    gradients = tape.gradient(total, [variable for _, variable in weights])
    np.testing.assert_allclose(src + dst, golden["sum_loss_per_sample"], rtol=1e-4)
    assert float(tf.reduce_mean(src)) == pytest.approx(golden["src_loss_mean"], rel=1e-4)
    assert float(tf.reduce_mean(dst)) == pytest.approx(golden["dst_loss_mean"], rel=1e-4)
    assert [name for name, _ in weights] == list(golden["grad_norms"])
    for (name, _), gradient in zip(weights, gradients, strict=True):
        norm = float(tf.norm(gradient))
        assert norm == pytest.approx(golden["grad_norms"][name], rel=1e-3), name
