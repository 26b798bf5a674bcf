"""AMP's losses, gradients and steps against the reference's."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from engine.models.amp import losses as amp_losses
from engine.models.net_model import arrays
from engine.models.saehd import losses as saehd_losses
from engine.nets.distribution import ALONE
from engine.nets.morph_autoencoder import INTERS, NETS
from tests.models.amp.golden_amp import recipe_amp, variants
from tests.models.golden_saehd import SameBatch, golden_batch

pytestmark = pytest.mark.slow  # builds nets

VARIANTS = ("default", "blur_out_mask", "gan", "clip")
FILES = {"G": "src_dst_opt", "GAN": "GAN_opt"}


def measured(model, src, dst):
    with tf.GradientTape(persistent=True) as tape:
        objective = model.objective(src, dst)
        totals = {file: tf.reduce_sum(loss) for file, loss in objective.lowered.items()}
    gradients = {
        file: [g for g in learner.gradients(tape, totals[file]) if g is not None]
        for file, learner in model.learners.items()
    }
    return objective.shown, dict(objective.lowered), gradients


def sides_of_batch():
    return (ALONE.split(arrays(side)) for side in (golden_batch().src, golden_batch().dst))


def moving(learner):
    return [
        f"{net_name}/{name}"
        for net_name, net in learner.nets.items()
        if net_name not in learner.frozen
        for name, _ in net.named_weights()
    ]


def moved_nets(before, now):
    """The names of the drawing nets that changed."""
    return {
        net
        for net in NETS
        if any((before[net][name] != now[net][name]).any() for name in before[net])
    }


def variation_of_channels_and_rows(image):
    """The reference was asked with channels first, where it mistakes the axes (trap T10)."""
    channels, rows = image[..., 1:] - image[..., :-1], image[:, 1:] - image[:, :-1]
    return sum(tf.reduce_sum(tf.square(step), axis=(1, 2, 3)) for step in (channels, rows))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_option_set_has_the_references_losses_and_gradients(name, monkeypatch):
    for module in (amp_losses, saehd_losses):
        monkeypatch.setattr(module, "total_variation", variation_of_channels_and_rows)
    facts = variants()[name]
    model = recipe_amp(**facts["options_changed"])
    shown, lowered, gradients = measured(model, *sides_of_batch())
    first = facts["iterations"][0]
    np.testing.assert_allclose(shown[0], first["src"], rtol=1e-4)
    np.testing.assert_allclose(shown[1], first["dst"], rtol=1e-4)
    for key, expected in facts["grads"].items():
        file = FILES[key]
        np.testing.assert_allclose(lowered[file], expected["loss_per_sample"], rtol=1e-4)
        norms = {
            name: float(tf.norm(gradient))
            for name, gradient in zip(moving(model.learners[file]), gradients[file], strict=True)
        }
        assert list(norms) == list(expected["norms"])
        total = float(np.sqrt(sum(norm**2 for norm in norms.values())))
        assert total == pytest.approx(expected["total_norm"], rel=1e-3)
        assert norms == pytest.approx(expected["norms"], rel=1e-3, abs=1e-6 * total)


@pytest.mark.parametrize("name", ["default", "gan"])
def test_four_steps_show_the_references_losses_and_leave_the_inter_nets_alone(name):  # T5
    facts = variants()[name]
    model = recipe_amp(**facts["options_changed"])
    before = model.state()
    batches = SameBatch(golden_batch())
    for iteration, allowed in zip(facts["iterations"], (1e-4, 1e-3, 1e-3, 1e-3), strict=True):
        result = model.train_step(batches)
        assert result.applied
        for side, loss in zip(("src", "dst"), result.losses, strict=True):
            assert loss == pytest.approx(np.mean(iteration[side]), rel=allowed)
    assert moved_nets(before, model.state()) == {"encoder", "decoder"}


def test_the_option_sets_are_all_that_the_reference_has():
    assert tuple(variants()) == VARIANTS


def test_bfloat16_and_computing_twice_change_no_more_than_the_last_digits():
    facts = variants()["default"]
    model = recipe_amp(dtype="mixed_bfloat16", recompute=True)
    shown, _, gradients = measured(model, *sides_of_batch())
    for side, losses in zip(("src", "dst"), shown, strict=True):
        np.testing.assert_allclose(losses, facts["iterations"][0][side], rtol=0.01)
    total = float(tf.linalg.global_norm(gradients["src_dst_opt"]))
    assert total == pytest.approx(facts["grads"]["G"]["total_norm"], rel=0.05)


def test_both_inter_nets_learn_where_they_are_to():
    model = recipe_amp(train_inters=True)
    _, _, gradients = measured(model, *sides_of_batch())
    named = dict(zip(moving(model.main), gradients["src_dst_opt"], strict=True))
    for net in INTERS:
        assert float(tf.norm(named[f"{net}/dense2/weight:0"])) > 0.1
