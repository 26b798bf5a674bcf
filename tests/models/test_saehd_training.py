"""SAEHD in training: discriminators that come and go, pretraining, saves, bad steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from engine.models.net_model import arrays
from engine.nets.distribution import ALONE
from engine.protocol.errors import UsageError
from tests.models.tiny_saehd import MadeBatches, options, saved_by, tiny_saehd
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import stream_for

pytestmark = pytest.mark.slow  # builds nets

JUDGED = {"gan_power": 0.1, "true_face_power": 0.05}
EVERYTHING = {
    **JUDGED,
    "eyes_mouth_prio": True,
    "blur_out_mask": True,
    "face_style_power": 1.0,
    "bg_style_power": 2.0,
    "lr_dropout": "y",
    "clipgrad": True,
}
MAIN = {"encoder", "inter", "decoder_src", "decoder_dst", "src_dst_opt"}
JUDGES = {"code_discriminator", "D_code_opt", "GAN", "GAN_opt"}


@pytest.fixture(autouse=True)
def eager(request):
    """Steps of a tiny model are made sooner than compiled."""
    tf.config.run_functions_eagerly("compiled" not in request.fixturenames)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def compiled():
    """For tests whose claim is one about the compiled step."""


def train(model, steps=1, batches=None):
    batches = batches or MadeBatches(eyes_mouth=model.sampling().kind.eyes_mouth)
    for _ in range(steps):
        assert model.train_step(batches).applied
    return model


def same(state, other, *files):
    for file in files:
        np.testing.assert_equal(state[file], other[file])


def differs(state, other, file):
    return any(not np.array_equal(state[file][name], other[file][name]) for name in state[file])


def test_discriminators_are_there_while_their_power_is_not_0_and_rest_in_the_saves_after():
    model = train(tiny_saehd())
    assert set(model.state()) == MAIN
    model.change_options(JUDGED)
    before = model.state()
    assert set(before) == MAIN | JUDGES
    trained = train(model).state()
    assert differs(trained, before, "GAN") and differs(trained, before, "code_discriminator")
    model.change_options(dict.fromkeys(JUDGED, 0))
    resting = train(model).state()
    same(resting, trained, *JUDGES)
    assert differs(resting, trained, "encoder")
    model.change_options(JUDGED)
    same(model.state(), trained, *JUDGES)


def test_discriminators_that_rest_in_a_save_wake_as_they_were():
    model = train(tiny_saehd(**JUDGED))
    model.change_options(dict.fromkeys(JUDGED, 0))
    saved = saved_by(model)
    same(tiny_saehd(saved=saved).state(), saved.state, *saved.state)
    same(tiny_saehd(saved=saved, **JUDGED).state(), saved.state, *saved.state)


@pytest.mark.parametrize("change", [{"gan_patch_size": 10}, {"gan_dims": 6}])
def test_another_patch_or_size_starts_the_gan_anew_and_leaves_the_rest(change):
    saved = saved_by(train(tiny_saehd(**JUDGED)))
    for model in (tiny_saehd(saved=saved, **JUDGED), tiny_saehd(saved=saved, gan_power=0.0)):
        model.change_options({"gan_power": 0.1, **change})
        assert not any(moment.any() for moment in model.state()["GAN_opt"].values())
        same(model.state(), saved.state, *MAIN, "code_discriminator", "D_code_opt")
        train(model)
    started = tiny_saehd(saved=saved, **JUDGED, **change)
    assert not any(moment.any() for moment in started.state()["GAN_opt"].values())


def test_a_discriminator_that_rests_can_be_reset_too():
    model = train(tiny_saehd(**JUDGED))
    model.change_options({"gan_power": 0})
    model.reset_nets(["GAN", "code_discriminator"])
    assert set(model.state()) == MAIN | {"code_discriminator", "D_code_opt"}
    with pytest.raises(UsageError, match="GAN_opt"):
        model.reset_nets(["GAN_opt"])


def test_a_power_that_does_not_fit_is_refused_and_changes_nothing():
    model = tiny_saehd("liae-ud")
    with pytest.raises(UsageError, match="true-face-power"):
        model.change_options({"true_face_power": 0.1, "clipgrad": True})
    assert model.options == options("liae-ud")
    with pytest.raises(UsageError, match="--d-dims 16"):
        model.change_options({"d_dims": 16})


@pytest.mark.usefixtures("compiled")
def test_a_step_that_is_not_finite_or_beyond_the_limit_moves_no_net():  # T28
    model = train(tiny_saehd(**JUDGED))
    before = model.state()
    assert not model.train_step(MadeBatches(), loss_limit=0.1).applied
    batch = MadeBatches().next()
    batch.src.target_bgr[0, 3, 3] = np.nan
    result = model.train_step(OneBatch(batch))
    assert not result.applied
    same(model.state(), before, *before)
    assert model.iteration == 1


def test_a_gradient_of_a_discriminator_that_is_not_finite_stops_the_whole_step():
    model = train(tiny_saehd(**JUDGED))
    judge = model.learners["D_code_opt"].nets["code_discriminator"]
    judge.out_conv.weight.assign(np.full(judge.out_conv.weight.shape, 3e38, np.float32))
    before = model.state()
    assert not model.train_step(MadeBatches()).applied
    same(model.state(), before, *before)


class OneBatch:
    def __init__(self, batch):
        self.batch = batch

    def next(self):
        return self.batch


@pytest.mark.usefixtures("compiled")
def test_training_that_goes_on_from_a_save_is_bit_for_bit_the_same():
    batches = MadeBatches(eyes_mouth=True)
    model = train(tiny_saehd(**EVERYTHING), 2, batches)
    resumed = tiny_saehd(saved=saved_by(model), **EVERYTHING)
    later = MadeBatches(eyes_mouth=True)
    later.number = batches.number
    assert train(model, 2, batches).iteration == train(resumed, 2, later).iteration == 4
    same(resumed.state(), model.state(), *model.state())


def test_going_back_to_a_save_from_before_the_gan_starts_the_gan_anew():
    model = train(tiny_saehd())
    saved = saved_by(model)
    model.change_options({"gan_power": 0.1})
    train(model)
    model.restore(saved)
    same(model.state(), saved.state, *saved.state)
    assert not any(moment.any() for moment in model.state()["GAN_opt"].values())


def test_another_optimizer_begins_with_empty_state_but_counts_on():
    model = train(tiny_saehd(adabelief=False), 3)
    model.change_options({"adabelief": True})
    slots = model.state()["src_dst_opt"]
    assert slots.pop("iters:0") == 3
    assert all(name.startswith(("ms_", "vs_")) and not value.any() for name, value in slots.items())
    train(model)


def test_masks_of_lr_dropout_are_the_same_wherever_they_are_drawn_and_new_in_each_step():  # T21
    ends = [train(tiny_saehd(lr_dropout=choice), 2).state() for choice in ("y", "cpu")]
    same(ends[0], ends[1], *ends[0])
    before = tiny_saehd(lr_dropout="y").state()["encoder"]
    moved = [ends[0]["encoder"][name] != before[name] for name in before if "weight" in name]
    share = np.concatenate([part.ravel() for part in moved]).mean()
    assert 0.45 < share < 0.55  # 1 - 0.7^2 of two independent masks


def test_weights_may_live_on_the_cpu():
    model = train(tiny_saehd(models_opt_on_gpu=False, **JUDGED))
    devices = {
        variable.value.device
        for learner in model.learners.values()
        for variable in [*learner.optimizer.variables, learner.optimizer.iterations]
    }
    assert len(devices) == 1
    assert "CPU" in devices.pop()


@pytest.mark.parametrize(("archi", "rests"), [("liae-ud", {"inter_AB"}), ("df-ud", set())])
def test_without_warp_what_both_faces_share_in_liae_rests(archi, rests):
    model = train(tiny_saehd(archi))
    before = model.state()
    model.change_options({"random_warp": False})
    after = train(model).state()
    nets = set(before) - {"src_dst_opt"}
    assert {net for net in nets if not differs(after, before, net)} == rests


def test_pretraining_has_no_discriminators_and_even_mirrored_unbent_samples():  # T9
    model = train(tiny_saehd(pretrain=True, pretrain_faces="x", random_hsv_power=0.1, **JUDGED))
    assert set(model.state()) == MAIN
    sampling = model.sampling()
    assert (sampling.warp, sampling.uniform_yaw, sampling.hsv_power) == (False, True, 0)
    assert sampling.mirror == {"src", "dst"}


@pytest.mark.parametrize("archi", ["df-ud", "liae-ud"])
@pytest.mark.parametrize("at_start", [True, False])
def test_leaving_pretraining_starts_at_0_with_fresh_inter_nets_and_their_state(archi, at_start):
    # T22: the original keeps the optimizer's state of nets that it has thrown away
    model = train(tiny_saehd(archi, pretrain=True, pretrain_faces="x"), 2)
    saved = saved_by(model)
    if at_start:
        model = tiny_saehd(archi, saved=saved)
    else:
        model.change_options({"pretrain": False})
    assert model.iteration == 0
    state = model.state()
    for net in set(state) - {"src_dst_opt"}:
        assert differs(state, saved.state, net) == net.startswith("inter"), net
    for name, value in state["src_dst_opt"].items():
        if "_inter" in name:
            assert not value.any(), name
        else:
            np.testing.assert_array_equal(value, saved.state["src_dst_opt"][name])


def test_going_on_pretraining_counts_on():
    model = train(tiny_saehd(pretrain=True, pretrain_faces="x"), 2)
    again = tiny_saehd(saved=saved_by(model), pretrain=True, pretrain_faces="x")
    again.change_options({"clipgrad": True})
    assert again.iteration == 2


def losses(model, batch):
    step = tf.function(lambda src, dst: model.objective(src, dst).shown, autograph=False)
    sides = (ALONE.split(arrays(side)) for side in (batch.src, batch.dst))
    return [part.numpy() for part in step(*sides)]


def test_bfloat16_has_the_losses_of_float32_within_2_percent():
    batch = MadeBatches(eyes_mouth=True).next()
    exact, coarse = (
        losses(tiny_saehd(dtype=dtype, **EVERYTHING), batch)
        for dtype in ("float32", "mixed_bfloat16")
    )
    for found, expected in zip(coarse, exact, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0.02)


def test_background_style_looks_at_the_dst_face_unless_asked_to_do_as_deepfacelab():  # T2
    batch = MadeBatches().next()
    other = replace(batch, src=replace(batch.src, mask=batch.src.mask[:, ::-1] * 0))

    def share_of_style(seen, **changes):
        plain = tiny_saehd(masked_training=False)
        styled = tiny_saehd(masked_training=False, bg_style_power=10.0, **changes)
        return losses(styled, seen)[0] - losses(plain, seen)[0]

    np.testing.assert_allclose(share_of_style(batch), share_of_style(other), rtol=1e-3)
    dfl = [share_of_style(seen, bg_style_dfl=True) for seen in (batch, other)]
    assert not np.allclose(*dfl, rtol=0.05)


def faces_in_a_step(model):
    """How many faces the encoder reads and the decoders draw in one step, how often each runs."""
    counts = Counter()

    def counted(name, call):
        def counting(faces):
            counts[f"{name} runs"] += 1
            counts[f"{name} faces"] += faces.shape[0]
            return call(faces)

        return counting

    nets = model.autoencoder
    nets.encoder = counted("encoder", nets.encoder)
    for decoder in {nets.decoder_src, nets.decoder_dst}:
        decoder.image = counted("drawn", decoder.image)
    model.trace()
    return counts


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(("archi", "decoders"), [("df-ud", 2), ("liae-ud", 1)])
def test_a_step_runs_each_net_once_and_draws_no_swap_that_nothing_learns_from(archi, decoders):
    # T13 and T18
    judged = {"gan_power": 0.1} if archi == "liae-ud" else JUDGED
    batch = 2
    assert faces_in_a_step(tiny_saehd(archi, **judged)) == {
        "encoder runs": 1,
        "encoder faces": 2 * batch,
        "drawn runs": decoders,
        "drawn faces": 2 * batch,
    }


def test_eyes_and_mouth_are_sampled_when_they_are_learned():
    model = tiny_saehd(face_type="wf")
    assert not model.sampling().kind.eyes_mouth
    model.change_options({"eyes_mouth_prio": True})
    kind = model.sampling().kind
    assert (kind.eyes_mouth, kind.side_px, kind.face_type.short) == (True, 32, "wf")
    train(model)


def test_sampling_is_what_the_options_say():
    model = tiny_saehd(random_src_flip=True, random_hsv_power=0.05, ct_mode="lct", uniform_yaw=True)
    sampling = model.sampling()
    assert (sampling.scale, sampling.warp, sampling.batch_size) == (0.15, True, 2)
    assert sampling.mirror == {"src", "dst"}
    assert (sampling.hsv_power, sampling.ct_mode, sampling.uniform_yaw) == (0.05, "lct", True)


def test_faces_are_bent_recoloured_and_drawn_evenly_as_the_options_ask(tmp_path):
    write_workspace(tmp_path, 4)
    model = tiny_saehd(
        random_hsv_power=0.1, ct_mode="rct", uniform_yaw=True, eyes_mouth_prio=True, face_type="f"
    )
    with stream_for(tmp_path, model.sampling()) as batches:
        assert train(model, 2, batches).iteration == 2
    model.change_options({"random_warp": False, "batch_size": 3, "eyes_mouth_prio": False})
    with stream_for(tmp_path, model.sampling()) as batches:
        assert train(model, 1, batches).iteration == 3
