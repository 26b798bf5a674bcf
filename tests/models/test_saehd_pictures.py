"""What previews of SAEHD show, and what merging gets."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models.predictor import load_predictor
from engine.models.saehd.model import Saehd
from engine.models.saehd.spec import SAEHD
from engine.nets.autoencoder import Autoencoder
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace
from engine.train.generations import Generations
from tests.models.tiny_saehd import MadeBatches, saved_by, tiny_saehd

pytestmark = pytest.mark.slow  # builds nets


def tile(page, row, column, side_px=32):
    return page[row * side_px : (row + 1) * side_px, column * side_px : (column + 1) * side_px]


def as_u8(picture):
    return np.rint(np.clip(picture, 0, 1) * 255)


def test_a_preview_shows_each_face_its_drawing_and_the_swap_whole_and_masked():
    model = tiny_saehd("liae-ud")
    batch = MadeBatches().next().unwarped()
    pages = model.preview_pages(batch)
    assert list(pages) == ["SAEHD", "SAEHD masked"]
    swap, seen_by_src, seen_by_dst = model.autoencoder.swap(batch.dst.target_bgr)
    plain, masked = pages.values()
    assert plain.shape == (2 * 32, 5 * 32, 3)
    np.testing.assert_allclose(tile(plain, 1, 0), as_u8(batch.src.target_bgr[1]), atol=1)
    np.testing.assert_allclose(tile(plain, 1, 4), as_u8(swap[1]), atol=1)
    np.testing.assert_allclose(
        tile(masked, 0, 2), as_u8(batch.dst.target_bgr[0] * batch.dst.mask[0]), atol=1
    )
    np.testing.assert_array_equal(tile(masked, 0, 1), tile(plain, 0, 1))
    both = seen_by_src[0] * seen_by_dst[0]
    np.testing.assert_allclose(tile(masked, 0, 4), as_u8(swap[0] * both), atol=1)


def test_the_swap_of_a_head_is_masked_by_src_alone():
    model = tiny_saehd("df", face_type="head")
    batch = MadeBatches().next().unwarped()
    masked = model.preview_pages(batch)["SAEHD masked"]
    swap, seen_by_src, _ = model.autoencoder.swap(batch.dst.target_bgr)
    np.testing.assert_allclose(tile(masked, 1, 4), as_u8(swap[1] * seen_by_src[1]), atol=1)


def test_large_faces_have_pages_of_two_columns_and_as_many_rows_as_fit():
    model = tiny_saehd("df", resolution=320)
    pages = model.preview_pages(MadeBatches(4, 320).next().unwarped())
    names = ("src-src", "dst-dst", "pred")
    assert list(pages) == [
        *(f"SAEHD {name}" for name in names),
        *(f"SAEHD masked {name}" for name in names),
    ]
    assert {page.shape for page in pages.values()} == {(2 * 320, 2 * 320, 3)}


def test_merging_reads_only_the_nets_it_needs_and_gets_face_and_both_masks(tmp_path):
    model = tiny_saehd(gan_power=0.1, true_face_power=0.1)
    model.iteration = 5
    saved = saved_by(model)
    workspace = Workspace(tmp_path)
    path = Generations(workspace.model("mine", "saehd")).write(saved.manifest, saved.state)
    for judge in ("GAN", "GAN_opt", "D_code_opt", "code_discriminator", "src_dst_opt"):
        (path / f"{judge}.safetensors").write_bytes(b"damaged")
    predictor = load_predictor(workspace, "mine", "saehd", "cpu")
    assert (predictor.resolution, predictor.face_type.short, predictor.iteration) == (32, "f", 5)
    crops = MadeBatches().next().dst.target_bgr
    prediction = predictor.predict(crops)
    face, mask_src, mask_dst = model.autoencoder.swap(crops)
    np.testing.assert_allclose(prediction.face_bgr, face, atol=1e-5)
    np.testing.assert_allclose(prediction.mask_src, mask_src[..., 0], atol=1e-5)
    np.testing.assert_allclose(prediction.mask_dst, mask_dst[..., 0], atol=1e-5)


@pytest.mark.parametrize(("archi", "count"), [("df-ud", 54_470_998), ("liae-ud", 82_376_555)])
def test_the_default_model_has_as_many_weights_as_documented(archi, count):
    arch = Saehd.architecture(complete_values(SAEHD.options, {"archi": archi}))
    nets = Autoencoder(arch).nets.values()
    found = sum(int(np.prod(variable.shape)) for net in nets for _, variable in net.named_weights())
    assert found == count
