"""What SAEHD's options allow, what they mean together, and what pretraining makes of them."""

from __future__ import annotations

from math import prod

import pytest

from engine.models.saehd.settings import check, in_force
from engine.models.saehd.spec import SAEHD
from engine.nets.patch_plan import patch_strides
from engine.protocol.errors import UsageError
from engine.protocol.options import Life, complete_values

BY_NAME = {option.name: option for option in SAEHD.options}


def complete(**given):
    return complete_values(SAEHD.options, given)


def test_the_defaults_are_those_that_users_know_and_go_together():
    values = complete()
    check(values)
    assert {name: values[name] for name in ("resolution", "face_type", "archi")} == {
        "resolution": 128,
        "face_type": "f",
        "archi": "liae-ud",
    }
    assert [values[name] for name in ("ae_dims", "e_dims", "d_dims", "d_mask_dims")] == [
        *(256, 64, 64, 22)
    ]
    on = {name for name, value in values.items() if value is True}
    assert on == {
        *("random_dst_flip", "random_warp", "masked_training", "adabelief", "models_opt_on_gpu")
    }


@pytest.mark.parametrize(("d_dims", "mask"), [(64, 22), (128, 42), (48, 16), (16, 16), (256, 86)])
def test_mask_dimensions_follow_the_decoders_that_were_chosen(d_dims, mask):  # T15
    assert complete(d_dims=d_dims)["d_mask_dims"] == mask
    assert complete(d_dims=d_dims, d_mask_dims=40)["d_mask_dims"] == 40


@pytest.mark.parametrize(("resolution", "patch"), [(128, 16), (256, 32), (640, 80)])
def test_the_patch_is_an_eighth_of_the_resolution(resolution, patch):
    assert complete(resolution=resolution)["gan_patch_size"] == patch


def test_what_shapes_the_nets_is_fixed_and_all_else_can_change_while_training():
    lives = {option.name: option.life for option in SAEHD.options}
    fixed = {name for name, life in lives.items() if life is Life.CREATION}
    assert fixed == {
        *("resolution", "face_type", "archi", "ae_dims", "e_dims", "d_dims", "d_mask_dims")
    }
    at_start = {name for name, life in lives.items() if life is Life.START}
    assert at_start == {"models_opt_on_gpu"}


@pytest.mark.parametrize("archi", ["df", "liae", "df-u", "liae-dtuc", "df-ud", "liae-ud"])
def test_architecture_letters_come_in_any_order(archi):
    assert BY_NAME["archi"].parse(archi) == archi


@pytest.mark.parametrize("archi", ["", "df-", "DF", "dfuhd", "df-uu", "liae-x", "df-udu", "avatar"])
def test_other_architectures_are_refused(archi):
    with pytest.raises(UsageError, match="df or liae"):
        BY_NAME["archi"].parse(archi)


@pytest.mark.parametrize(
    ("name", "value"),
    [("resolution", 120), ("resolution", 656), ("e_dims", 65), ("d_dims", 15), ("d_mask_dims", 33)],
)
def test_sizes_out_of_range_are_refused_never_rounded(name, value):
    with pytest.raises(UsageError, match=str(value)):
        BY_NAME[name].parse(value)


@pytest.mark.parametrize("archi", ["df-t", "liae-d", "df-udt"])
def test_letters_d_and_t_need_a_resolution_that_divides_by_32(archi):  # T8
    with pytest.raises(UsageError, match="144") as refused:
        check(complete(resolution=144, archi=archi))
    assert "128 or 160" in refused.value.remedy
    check(complete(resolution=144, archi="liae-u"))


@pytest.mark.parametrize("resolution", [496, 528, 560, 592, 624])
def test_a_patch_that_does_not_fit_is_refused_with_one_that_does(resolution):  # T26
    values = complete(resolution=resolution, archi="liae-u", gan_power=0.1)
    with pytest.raises(UsageError, match=f"resolution of {resolution}") as refused:
        check(values)
    nearest = int(refused.value.remedy.split()[-1])
    assert resolution % prod(patch_strides(nearest)) == 0
    check({**values, "gan_patch_size": nearest})
    check({**values, "gan_power": 0.0})


def test_true_face_is_for_df_only():
    check(complete(archi="df-ud", true_face_power=0.01))
    with pytest.raises(UsageError, match="true-face-power"):
        check(complete(archi="liae-ud", true_face_power=0.01))


def test_pretraining_needs_faces():
    with pytest.raises(UsageError, match="pretrain"):
        check(complete(pretrain=True))
    check(complete(pretrain=True, pretrain_faces="faces"))


def test_pretraining_overrides_what_would_disturb_it_and_keeps_the_rest():  # T9
    chosen = complete(
        archi="df-ud",
        pretrain=True,
        true_face_power=0.1,
        gan_power=1,
        face_style_power=1,
        bg_style_power=1,
        random_hsv_power=0.1,
        ct_mode="rct",
        lr_dropout="y",
        clipgrad=True,
        eyes_mouth_prio=True,
        blur_out_mask=True,
        masked_training=False,
    )
    forced = in_force(chosen)
    powers = ("true_face_power", "gan_power", "face_style_power", "bg_style_power")
    assert not any(forced[name] for name in (*powers, "random_hsv_power", "random_warp"))
    assert (forced["lr_dropout"], forced["ct_mode"]) == ("n", "none")
    assert forced["uniform_yaw"] and forced["random_src_flip"] and forced["random_dst_flip"]
    for kept in ("clipgrad", "eyes_mouth_prio", "blur_out_mask", "masked_training", "batch_size"):
        assert forced[kept] == chosen[kept]
    assert in_force({**chosen, "pretrain": False}) == {**chosen, "pretrain": False}
