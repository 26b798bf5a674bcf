"""What the options of 1.0's models do in a step, and what they mean together."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from engine.models.dfl1.losses import face_loss
from engine.models.dfl1.model import Sae
from engine.models.dfl1.settings import in_force
from engine.models.dfl1.spec import DFL1, LIAEF128, SAE
from engine.nets.optimizers import Adam
from engine.protocol.errors import UsageError
from engine.protocol.options import complete_values
from engine.protocol.plan_presets import PRESETS, presets_for
from engine.protocol.training_plan import check_plan
from tests.models.tiny_saehd import MadeBatches

# Smaller than the options allow: the nets do not mind.
TINY = {"resolution": 32, "ae_dims": 8, "e_ch_dims": 1, "d_ch_dims": 1}
STYLES = {"face_style_power": 10.0, "bg_style_power": 10.0}


@pytest.fixture
def eager():
    """Steps of a tiny model are made sooner than compiled."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def tiny_sae(**changes):
    options = {**complete_values(SAE.options, {"batch_size": 2}), **TINY, **changes}
    return Sae(options, seed=7, dtype="float32")


def stepped(model, steps=1):
    batches = MadeBatches()
    return [model.train_step(batches) for _ in range(steps)][-1]


def test_defaults_are_those_that_users_know():
    values = complete_values(SAE.options, {})
    assert {name: values[name] for name in ("resolution", "archi", "ae_dims")} == {
        "resolution": 128,
        "archi": "df",
        "ae_dims": 512,
    }
    assert (values["e_ch_dims"], values["d_ch_dims"]) == (42, 21)
    assert complete_values(SAE.options, {"archi": "liae"})["ae_dims"] == 256
    assert complete_values(SAE.options, {"e_ch_dims": 60})["d_ch_dims"] == 30
    on = {name for name, value in values.items() if value is True}
    assert on == {"random_flip", "learn_mask", "models_opt_on_gpu"}


def test_pretraining_needs_faces_and_lets_styles_rest():
    with pytest.raises(UsageError, match="--pretrain needs faces"):
        SAE.check(complete_values(SAE.options, {"pretrain": True}))
    chosen = complete_values(
        SAE.options, {"pretrain": True, "pretrain_faces": "p", "random_flip": False, **STYLES}
    )
    SAE.check(chosen)
    found = in_force(chosen)
    assert found["random_flip"] and found["uniform_yaw"]
    assert found["face_style_power"] == found["bg_style_power"] == 0
    assert in_force(complete_values(LIAEF128.options, {}))["clipgrad"] is False


def test_plans_of_options_that_the_models_lack_are_not_offered_and_refused_by_name():
    for spec in DFL1:
        assert presets_for(spec.options) == {}
        with pytest.raises(UsageError, match="--random-warp"):
            check_plan(PRESETS["standard"], spec)


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "changes",
    [
        {"multiscale_decoder": True, "pixel_loss": True, "ca_weights": True},
        {"archi": "liae", "recompute": True, **STYLES},
        {"learn_mask": False, "clipgrad": True, "models_opt_on_gpu": False, **STYLES},
    ],
    ids=["multiscale", "liae", "no mask"],
)
def test_steps_are_made_with_every_option(changes):
    model = tiny_sae(**changes)
    result = stepped(model, 2)
    assert result.applied and model.iteration == 2
    assert np.isfinite(result.losses).all()
    assert isinstance(model.main.optimizer, Adam)


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_a_model_without_masks_has_no_weights_for_them_and_says_so_before_merging():
    model = tiny_sae(learn_mask=False)
    assert not any("m/" in name or "upscalem" in name for name in model.state()["decoder_src"])
    assert stepped(model).health == {}
    crops = np.zeros((1, 32, 32, 3), np.float32)
    _, mask_src, mask_dst = model.autoencoder.swap(tf.constant(crops))
    assert (mask_src.numpy() == 1).all() and (mask_dst.numpy() == 1).all()
    told = []
    Sae.warn_before_merging(model.options, lambda text, remedy: told.append(text))
    Sae.warn_before_merging(tiny_sae().options, lambda text, remedy: told.append(text))
    assert len(told) == 1 and "no masks" in told[0]


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_styles_add_to_the_loss_of_src_alone():
    plain, styled = (stepped(tiny_sae(**changes)).losses for changes in ({}, STYLES))
    assert styled[0] > plain[0]
    assert styled[1] == pytest.approx(plain[1])


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_a_model_that_leaves_pretraining_begins_with_a_fresh_inter():
    model = tiny_sae(pretrain=True, pretrain_faces="people")
    stepped(model)
    before = model.state()
    model.change_options({"pretrain": False})
    after = model.state()
    assert model.iteration == 0
    np.testing.assert_equal(after["encoder"], before["encoder"])
    changed = after["inter"]["dense1/weight:0"] != before["inter"]["dense1/weight:0"]
    assert changed.all()


@pytest.mark.parametrize("pixels", [False, True])
def test_only_what_is_inside_the_mask_counts(pixels):
    rng = np.random.default_rng(1)
    target = rng.random((2, 32, 32, 3), np.float32)
    weight = np.zeros((2, 32, 32, 1), np.float32)
    weight[:, 8:24, 8:24] = 1
    other = np.where(weight == 1, target, 1 - target)
    np.testing.assert_allclose(face_loss(target, [other], weight, pixels=pixels), 0, atol=1e-6)
    inside = np.where(weight == 1, 1 - target, target)
    assert (np.array(face_loss(target, [inside], weight, pixels=pixels)) > 0.1).all()


def test_smaller_faces_of_a_multiscale_decoder_are_compared_with_a_smaller_target():
    rng = np.random.default_rng(2)
    target = rng.random((1, 32, 32, 3), np.float32)
    half = target.reshape(1, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    ones = np.ones((1, 32, 32, 1), np.float32)
    loss = face_loss(target, [half, target], ones, pixels=True)
    np.testing.assert_allclose(loss, 0, atol=1e-6)
