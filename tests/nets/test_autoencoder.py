from __future__ import annotations

import json

import numpy as np
import pytest

from tests.nets.golden import architecture, golden_arrays, recipe_autoencoder
from tests.support.shared import shared_path

TINY = {"resolution": 64, "ae_dims": 6, "e_dims": 4, "d_dims": 2, "d_mask_dims": 2}
WIDER = {"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16}
ARCHITECTURES = ["df", "df-u", "df-d", "df-ud", "df-udt", "df-udtc", "liae", "liae-ud", "liae-udt"]
# "2e-5 absolute on sigmoid outputs" of the reference's README.
SIGMOID_TOLERANCE = 2e-5
# x * cos(x) grows the last bits' differences between TensorFlow versions: 4e-5 seen.
COSINE_TOLERANCE = 1e-4


def predictions(model, batch, count):
    codes = model.codes(batch["src_warped"][:count], batch["dst_warped"][:count])
    return {
        "pred_src_src": model.decoder_src.image(codes.src),
        "pred_src_srcm": model.decoder_src.mask(codes.src),
        "pred_dst_dst": model.decoder_dst.image(codes.dst),
        "pred_dst_dstm": model.decoder_dst.mask(codes.dst),
        "pred_src_dst": model.decoder_src.image(codes.swap),
        "pred_src_dstm": model.decoder_src.mask(codes.swap),
    }


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(
    ("dims", "file"), [(TINY, "forward"), (WIDER, "forward_recipe_ae32_e16_d16_dm16")]
)
def test_every_architecture_predicts_as_the_reference_does(name, dims, file):
    golden = golden_arrays("saehd", name, f"{file}.npz")
    model = recipe_autoencoder(architecture(name, **dims))
    tolerance = COSINE_TOLERANCE if "c" in name else SIGMOID_TOLERANCE
    found = predictions(model, golden_arrays("batch64.npz"), 1)
    for key, value in found.items():
        if key in golden:
            np.testing.assert_allclose(value, golden[key][:1], atol=tolerance, rtol=0)
        elif f"{key}_stride2" in golden:
            expected = golden[f"{key}_stride2"][:1]
            np.testing.assert_allclose(value[:, ::2, ::2], expected, atol=tolerance, rtol=0)
    assert len(golden.files) >= 5


@pytest.mark.parametrize("name", ["df-ud", "liae-udt"])
def test_merging_gets_face_src_mask_and_dst_mask_of_a_dst_face(name):
    golden = golden_arrays("saehd", name, "forward.npz")
    model = recipe_autoencoder(architecture(name, **TINY))
    face, mask_src, mask_dst = model.swap(golden_arrays("batch64.npz")["dst_target"][1:2])
    np.testing.assert_allclose(face[0], golden["predictor_bgr"], atol=SIGMOID_TOLERANCE)
    src, dst = golden["predictor_mask_src"], golden["predictor_mask_dst"]
    np.testing.assert_allclose(mask_src[0, ..., 0], src, atol=SIGMOID_TOLERANCE)
    np.testing.assert_allclose(mask_dst[0, ..., 0], dst, atol=SIGMOID_TOLERANCE)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_tensors_have_the_names_sizes_and_order_of_the_references_files(name):
    check = json.loads(
        shared_path("golden", "nets", "saehd", name, "recipe_check.json").read_text()
    )
    model = recipe_autoencoder(architecture(name, **WIDER))
    found = {
        f"{net_name}/{tensor}": float(np.linalg.norm(variable))
        for net_name, net in model.nets.items()
        for tensor, variable in net.named_weights()
    }
    assert list(found) == list(check)
    for key, (norm, _) in check.items():
        assert found[key] == pytest.approx(norm, rel=1e-5)  # the recipe's numbers fill the shape


def test_a_resolution_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="144"):
        architecture("df-t", **{**TINY, "resolution": 144})
