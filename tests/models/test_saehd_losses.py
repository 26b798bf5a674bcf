"""Losses and gradients of every option set against the reference's, before the first update."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from engine.models.net_model import arrays
from engine.nets.distribution import ALONE
from tests.models.golden_saehd import golden_batch, golden_json, options, recipe_saehd
from tests.nets.golden import golden_arrays

# Compiled steps are the reference's in test_saehd_steps.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_tracing")]

SETS = {
    "df-ud": [
        *("default", "not_masked", "eyes_mouth_prio", "blur_out_mask", "styles"),
        *("face_style_only", "true_face", "gan", "gan_not_masked", "no_random_warp", "all"),
    ],
    "liae-ud": [
        *("default", "not_masked", "eyes_mouth_prio", "blur_out_mask", "styles"),
        *("face_style_only", "gan", "gan_not_masked", "no_random_warp", "all"),
    ],
}
EVERY_SET = [(archi, name) for archi, names in SETS.items() for name in names]
FILES = {"G": "src_dst_opt", "D_code": "D_code_opt", "D_gan": "GAN_opt"}
ROOTS = {"code_discriminator": "dis", "GAN": "D_src"}  # what the reference calls these nets


@tf.function
def _measured(model, src, dst):
    with tf.GradientTape(persistent=True) as tape:
        objective = model.objective(src, dst)
        totals = {file: tf.reduce_sum(loss) for file, loss in objective.lowered.items()}
    gradients = {
        file: [g for g in learner.gradients(tape, totals[file]) if g is not None]
        for file, learner in model.learners.items()
    }
    return objective.shown, dict(objective.lowered), gradients


def measured(model, batch):
    """(shown losses, lowered losses by file, gradients by file and reference's tensor name)."""
    sides = (ALONE.split(arrays(side)) for side in (batch.src, batch.dst))
    shown, lowered, gradients = _measured(model, *sides)
    named = {}
    for file, learner in model.learners.items():
        names = [
            f"{ROOTS.get(net_name, net_name)}/{name}"
            for net_name, net in learner.nets.items()
            if net_name not in learner.frozen
            for name, _ in net.named_weights()
        ]
        named[file] = dict(zip(names, gradients[file], strict=True))
    return shown, lowered, named


def agree(model, batch, expected, src_loss, dst_loss):
    shown, lowered, gradients = measured(model, batch)
    np.testing.assert_allclose(shown[0], src_loss, rtol=1e-4)
    np.testing.assert_allclose(shown[1], dst_loss, rtol=1e-4)
    assert set(gradients) == {FILES[key] for key in expected}
    for key, facts in expected.items():
        found = gradients[FILES[key]]
        np.testing.assert_allclose(lowered[FILES[key]], facts["loss_per_sample"], rtol=1e-4)
        assert list(found) == list(facts["norms"])
        norms = {name: float(tf.norm(gradient)) for name, gradient in found.items()}
        total = float(np.sqrt(sum(norm**2 for norm in norms.values())))
        assert total == pytest.approx(facts["total_norm"], rel=1e-3)
        # a tensor far smaller than the others is known no better than their last bits
        least = 1e-6 * facts["total_norm"]
        for name, norm in facts["norms"].items():
            assert norms[name] == pytest.approx(norm, rel=1e-3, abs=least), name
    return gradients


@pytest.mark.parametrize(("archi", "name"), EVERY_SET)
def test_every_option_set_has_the_references_losses_and_gradients(archi, name):
    facts = golden_json("losses.json")["archs"][archi][name]
    model = recipe_saehd(archi, **facts["options_changed"])
    first = facts["iterations"][0]
    found = agree(model, golden_batch(), facts["grads"], first["src_loss"], first["dst_loss"])
    stored = golden_arrays("saehd", archi, "gradients.npz")
    for key in stored.files:
        case, loss, tensor = key.split("|")
        if case == name:
            expected, gradient = stored[key], found[FILES[loss]][tensor]
            scale = max(np.abs(expected).max(), 1e-3)
            np.testing.assert_allclose(gradient, expected, atol=1e-3 * scale, err_msg=key)


@pytest.mark.parametrize(
    ("archi", "name", "enlarged"), [("df-ud_res128", "default", 2), ("df-ud_res256", "default", 4)]
)
def test_larger_faces_have_the_references_losses_and_gradients(archi, name, enlarged):
    facts = golden_json("losses.json")["archs"][archi][name]
    model = recipe_saehd("df-ud", resolution=64 * enlarged, batch_size=2)
    batch = golden_batch(2, enlarged)
    agree(model, batch, facts["grads"], facts["src_loss"], facts["dst_loss"])


@pytest.mark.parametrize(
    ("archi", "name", "without"),
    [
        ("df-ud", "gan", "default"),
        ("df-ud", "gan_not_masked", "not_masked"),
        ("df-ud", "true_face", "default"),
        ("liae-ud", "gan", "default"),
    ],
)
def test_what_judges_add_to_the_loss_is_the_references_to_the_last_digit(archi, name, without):
    # T10: smoothness over rows and columns is a hundred-thousandth of the whole
    cases = golden_json("losses.json")["archs"][archi]
    expected = np.subtract(
        *(cases[case]["grads"]["G"]["loss_per_sample"] for case in (name, without))
    )
    model = recipe_saehd(archi, **cases[name]["options_changed"])
    shown, lowered, _ = measured(model, golden_batch())
    added = lowered["src_dst_opt"] - (shown[0] + shown[1])
    np.testing.assert_allclose(added, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("archi", ["df-ud", "liae-ud"])
def test_without_warp_liae_moves_what_the_reference_moves(archi):
    wanted = golden_json("losses.json")["archs"][archi]["no_random_warp"]["trained_variables"]
    model = recipe_saehd(archi, random_warp=False)
    moving = [
        f"{net_name}/{name}"
        for net_name, net in model.main.nets.items()
        if net_name not in model.main.frozen
        for name, _ in net.named_weights()
    ]
    assert moving == wanted


def test_the_sets_are_all_that_the_reference_has():
    archs = golden_json("losses.json")["archs"]
    assert {archi: list(archs[archi]) for archi in SETS} == SETS
    assert set(archs) - set(SETS) == {"df-ud_res128", "df-ud_res256"}


def test_the_references_option_names_are_ours():
    changed = golden_json("losses.json")["archs"]["df-ud"]["all"]["options_changed"]
    assert set(changed) <= set(options())
