from __future__ import annotations

import json

import numpy as np
import pytest

from engine.faces.restricted_pickle import decode_pickle
from engine.nets.discriminators import CodeDiscriminator, PatchDiscriminator
from engine.nets.initialisation import load_weights
from engine.nets.patch_plan import patch_strides
from tests.nets.golden import golden_arrays
from tests.support.shared import shared_path


def with_stored_weights(net, file):
    """The net with the reference's file, whose tensors must be the net's in name and order."""
    weights = decode_pickle(shared_path("golden", "nets", "disc", file).read_bytes())
    assert [name for name, _ in net.named_weights()] == list(weights)
    load_weights(net, "net", weights)
    return net


def test_every_patch_size_has_the_references_layers():
    facts = json.loads(shared_path("golden", "nets", "disc", "disc.json").read_text())
    plans = facts["unet_layers_by_patch_size"]
    assert len(plans) > 100
    for patch_px, layers in plans.items():
        assert [[3, stride] for stride in patch_strides(int(patch_px))] == layers, patch_px


def test_the_largest_patch_has_the_documented_layers():
    assert patch_strides(640) == (2, 2, 2, 2, 2, 2, 1, 2, 2)


@pytest.mark.parametrize(("patch_px", "base"), [(3, 4), (8, 4), (16, 4), (32, 2), (64, 2)])
def test_patches_and_pixels_are_judged_as_by_the_reference(patch_px, base):
    golden = golden_arrays("disc", "disc.npz")
    net = PatchDiscriminator(patch_px, base, dtype="float32")
    with_stored_weights(net, f"unet_p{patch_px}_b{base}.npy")
    of_patches, of_pixels = net(golden_arrays("batch64.npz")["src_target"][:1])
    np.testing.assert_allclose(of_patches, golden[f"unet_p{patch_px}_center"], atol=1e-5)
    np.testing.assert_allclose(of_pixels, golden[f"unet_p{patch_px}_out"], atol=1e-5)


@pytest.mark.parametrize(("side", "base"), [(4, 8), (8, 8), (16, 4)])
def test_codes_are_judged_as_by_the_reference(side, base):
    golden = golden_arrays("disc", "disc.npz")
    net = CodeDiscriminator(6, side, base=base, dtype="float32")
    with_stored_weights(net, f"code_res{side}_ch{base}.npy")
    found = net(golden[f"code_{side}_in"])
    np.testing.assert_allclose(found, golden[f"code_{side}_out"], atol=1e-5, rtol=1e-4)


def test_discriminators_have_as_many_weights_as_documented():
    nets = {
        233_650: PatchDiscriminator(16, 16, dtype="float32"),
        946_994: PatchDiscriminator(32, 16, dtype="float32"),
        2_229_505: CodeDiscriminator(256, 8, dtype="float32"),
    }
    for count, net in nets.items():
        assert sum(int(np.prod(variable.shape)) for _, variable in net.named_weights()) == count


def test_bfloat16_discriminators_judge_in_float32():
    net = PatchDiscriminator(8, 4, dtype="mixed_bfloat16")
    assert all(logits.dtype == "float32" for logits in net(np.zeros((1, 32, 32, 3), np.float32)))
