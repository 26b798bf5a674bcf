"""What AMP draws while it trains: which channels are src's, and what previews show."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models.amp.model import Amp
from tests.models.amp.golden_amp import recipe_amp
from tests.models.golden_saehd import golden_batch

pytestmark = pytest.mark.slow  # builds nets

SIDE_PX = 64


@pytest.fixture(scope="module")
def model():
    return recipe_amp()


def tile(page, row, column):
    return page[row * SIDE_PX :, column * SIDE_PX :][:SIDE_PX, :SIDE_PX].astype(float)


def as_u8(picture):
    return np.rint(np.clip(picture, 0, 1) * 255)


def test_src_faces_have_the_morph_factors_share_of_channels_anew_in_every_step(model):
    faces = golden_batch().src.input_bgr
    drawn = np.asarray(Amp.channels_of_src(model, faces))
    assert drawn.shape == (4, 16)
    assert (drawn.sum(axis=1) == 8).all()
    assert len({row.tobytes() for row in drawn}) > 1, "each face has its own"
    np.testing.assert_array_equal(Amp.channels_of_src(model, faces), drawn)
    assert (np.asarray(Amp.channels_of_src(model, faces[::-1].copy())) != drawn).any()
    model.main.optimizer.iterations.assign(1)
    assert (np.asarray(Amp.channels_of_src(model, faces)) != drawn).any()


def test_a_preview_shows_two_rows_a_face_with_its_drawing_and_how_it_is_morphed(model):
    batch = golden_batch()
    pages = model.preview_pages(batch)
    assert list(pages) == ["AMP morph 1.0", "AMP morph list", "AMP morph list masked"]
    assert {page.shape for page in pages.values()} == {(4 * 2 * SIDE_PX, 3 * SIDE_PX, 3)}
    first, plain, masked = pages.values()
    dst = batch.dst.input_bgr[1:2]
    np.testing.assert_allclose(tile(first, 2, 0), as_u8(batch.src.target_bgr[1]), atol=1)
    np.testing.assert_allclose(tile(first, 2, 1), as_u8(batch.dst.target_bgr[1]), atol=1)
    for factor, place in {0.25: (2, 1), 0.5: (2, 2), 0.65: (3, 0), 0.75: (3, 1), 1: (3, 2)}.items():
        face, seen_by_src, seen_by_dst = (
            np.asarray(x)[0] for x in model.autoencoder.swap(dst, np.array([factor], np.float32))
        )
        np.testing.assert_allclose(tile(plain, *place), as_u8(face), atol=1)
        both = face * seen_by_src * seen_by_dst
        np.testing.assert_allclose(tile(masked, *place), as_u8(both), atol=1)
    np.testing.assert_array_equal(tile(first, 3, 2), tile(plain, 3, 2))
    np.testing.assert_array_equal(tile(first, 3, 1), tile(plain, 2, 0))
    np.testing.assert_array_equal(tile(first, 2, 2), tile(masked, 2, 0))
