from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from engine.faces.restricted_pickle import decode_pickle
from engine.models.xseg.losses import mask_loss, pretraining_loss
from engine.nets.initialisation import load_weights
from engine.nets.optimizers import RMSprop, Schedule
from engine.nets.xseg import XSeg
from tests.nets.golden import golden_arrays, recipe_tensor
from tests.support.shared import shared_path


@pytest.fixture
def golden():
    """The net of the reference with one base channel, its input and target, and what is told."""
    folder = shared_path("golden", "nets", "xseg")
    weights = decode_pickle((folder / "XSeg_256_base1.npy").read_bytes())
    net = XSeg(1)
    assert [name for name, _ in net.named_weights()] == list(weights)
    load_weights(net, "net", weights)
    face, mask = (_picture(folder / name) for name in ("input.png", "target.png"))
    return net, face, mask, json.loads((folder / "xseg.json").read_text())


def _picture(path):
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return np.float32(picture).reshape(1, 256, 256, -1) / np.float32(255)


def test_logits_are_those_of_the_reference(golden):
    net, face, _, _ = golden
    wanted = golden_arrays("xseg", "xseg.npz")["logits_stride2"]
    np.testing.assert_allclose(net(face)[:, ::2, ::2], wanted, atol=5e-5, rtol=1e-4)


def test_without_skips_logits_are_those_of_pretraining(golden):
    net, face, _, _ = golden
    wanted = golden_arrays("xseg", "xseg.npz")["logits_pretrain_stride2"]
    np.testing.assert_allclose(net(face, skips=False)[:, ::2, ::2], wanted, atol=5e-5, rtol=1e-4)


def test_losses_are_those_of_the_reference(golden):
    net, face, mask, facts = golden
    np.testing.assert_allclose(mask_loss(mask, net(face)), facts["loss_bce"], rtol=1e-5)
    drawn = net(face, skips=False)
    np.testing.assert_allclose(pretraining_loss(mask, drawn), facts["loss_pretrain"], rtol=1e-5)


def test_gradients_are_as_large_as_in_the_reference(golden):
    net, face, mask, facts = golden
    names, variables = zip(*net.named_weights(), strict=True)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(mask_loss(mask, net(face)))
    gradients = tape.gradient(total, [variable.value for variable in variables])
    for name, gradient in zip(names, gradients, strict=True):
        wanted = facts["grad_norms"][f"XSeg/{name}"]
        assert float(tf.norm(gradient)) == pytest.approx(wanted, rel=1e-3, abs=1e-6), name


def test_five_steps_of_rmsprop_lower_the_loss_as_in_the_reference(golden):
    net, face, mask, facts = golden
    names, variables = zip(*net.named_weights(), strict=True)
    optimizer = RMSprop(list(zip(names, variables, strict=True)), Schedule(1e-4))
    found = []
    for _ in range(5):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(mask_loss(mask, net(face)))
        found.append(float(total))
        optimizer.apply(tape.gradient(total, [variable.value for variable in variables]))
    # First steps follow gradients' signs alone; the reference's own order of updates (trap T1)
    # makes the rest of the difference.
    np.testing.assert_allclose(found, facts["rmsprop_1e-4_no_dropout_losses"], rtol=5e-4)


@pytest.mark.slow
def test_the_production_net_masks_as_the_reference():
    net = XSeg()
    weights = {
        name: recipe_tensor(f"XSeg_256/{name}", tuple(variable.shape))
        for name, variable in net.named_weights()
    }
    assert len(weights) == 222
    assert sum(tensor.size for tensor in weights.values()) == 17_569_317
    load_weights(net, "net", weights)
    face = _picture(shared_path("golden", "nets", "xseg", "input.png"))
    sure = ops.convert_to_numpy(ops.sigmoid(net(face)))[0]
    sure[sure < 0.1] = 0
    wanted = golden_arrays("xseg", "xseg.npz")["extract_full_stride2"]
    np.testing.assert_allclose(sure[::2, ::2], wanted, atol=2e-5)
