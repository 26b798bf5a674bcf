"""AMP's nets against the reference's."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine.nets.initialisation import load_weights
from engine.nets.morph_autoencoder import MorphArchitecture, MorphAutoencoder
from tests.nets.golden import golden_arrays, recipe_tensor
from tests.nets.test_autoencoder import SIGMOID_TOLERANCE

ARCH = MorphArchitecture(64, ae_dims=8, inter_dims=16, e_dims=2, d_dims=2, d_mask_dims=2)
FACTORS = (0.0, 0.25, 0.5, 0.77, 1.0)


@cache
def recipe_nets() -> MorphAutoencoder:
    model = MorphAutoencoder(ARCH)
    for net_name, net in model.nets.items():
        tensors = {
            name: recipe_tensor(f"{net_name}/{name}", tuple(variable.shape))
            for name, variable in net.named_weights()
        }
        load_weights(net, net_name, tensors)
    return model


def agree(found, expected_nchw, count, step=1):
    found = np.transpose(np.asarray(found), (0, 3, 1, 2))[:count, :, ::step, ::step]
    np.testing.assert_allclose(found, expected_nchw[:count], atol=SIGMOID_TOLERANCE, rtol=0)


def test_encoder_and_inter_nets_give_the_references_vectors_and_maps():
    golden, model = golden_arrays("amp", "amp.npz"), recipe_nets()
    vectors = model.encoder(golden_arrays("batch64.npz")["dst_warped"][:2])
    np.testing.assert_allclose(vectors, golden["enc_dst"], atol=2e-5, rtol=1e-5)
    agree(model.inter_src(vectors), golden["inter_src_of_dst"], 2)
    agree(model.inter_dst(vectors), golden["inter_dst_of_dst"], 2)


def test_both_faces_are_drawn_as_the_references_are():
    golden, model, batch = (
        golden_arrays("amp", "amp.npz"),
        recipe_nets(),
        golden_arrays("batch64.npz"),
    )
    halves = model.first_channels(np.full(4, 0.5, np.float32))
    codes = model.codes(batch["src_warped"], batch["dst_warped"], halves)
    src_face, _, dst_face, dst_mask = model.drawn(*codes)
    agree(src_face, golden["pred_src_src|0.5"], 2)
    agree(dst_face, golden["pred_dst_dst|0.5"], 1)
    agree(dst_mask, golden["pred_dst_dstm|0.5"], 1)


def test_faces_of_one_batch_are_each_morphed_by_their_own_factor_as_the_references_are():
    golden, model = golden_arrays("amp", "amp.npz"), recipe_nets()
    dst = np.repeat(golden_arrays("batch64.npz")["dst_warped"][:1], len(FACTORS), axis=0)
    faces, masks, dst_masks = model.swap(dst, np.array(FACTORS, np.float32))
    for number, factor in enumerate(FACTORS):
        step = 1 if factor == 0.5 else 2
        suffix = "_stride2" if step == 2 else ""
        one = slice(number, number + 1)
        agree(faces[one], golden[f"pred_src_dst|{factor}{suffix}"], 1, step)
        agree(masks[one], golden[f"pred_src_dstm|{factor}{suffix}"], 1, step)
        agree(dst_masks[one], golden["pred_dst_dstm|0.5"], 1)


@pytest.mark.parametrize(
    ("channels", "factor", "count"), [(16, 0.77, 12), (1024, 0.65, 665), (100, 1.0, 100)]
)
def test_a_factor_takes_so_many_whole_channels(channels, factor, count):
    arch = MorphArchitecture(64, 8, channels, 2, 2, 2)
    found = np.asarray(MorphAutoencoder(arch).first_channels(np.array([factor], np.float32)))
    assert found.shape == (1, channels)
    assert found[0, :count].all() and not found[0, count:].any()
