import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graphics.sixel_reader import read_sixel
from tuiapp.graphics.sixel import encode_sixel

# Percentages of these levels are whole numbers: they come back exactly.
LEVELS = [0, 51, 102, 153, 204, 255]
PALETTE = np.array([(r, g, b) for r in LEVELS for g in LEVELS for b in LEVELS], np.uint8)


def shown(indices: np.ndarray, palette: np.ndarray = PALETTE) -> np.ndarray:
    return read_sixel(encode_sixel(indices, palette), (1, 2, 3))


@pytest.mark.parametrize("height", [1, 5, 6, 7, 13, 256])
def test_every_pixel_comes_back_in_its_own_colour(height: int) -> None:
    indices = np.random.default_rng(height).integers(0, 216, (height, 97)).astype(np.uint8)
    assert np.array_equal(shown(indices), PALETTE[indices])


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 20), st.integers(1, 40), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_pictures_of_any_size_and_few_colours_come_back_exactly(
    height: int, width: int, colours: int, seed: int
) -> None:
    indices = np.random.default_rng(seed).integers(0, colours, (height, width)).astype(np.uint8)
    assert np.array_equal(shown(indices), PALETTE[indices])


def test_a_picture_of_one_colour_is_a_few_bytes_a_band() -> None:
    sequence = encode_sixel(np.zeros((600, 1000), np.uint8), PALETTE[:1])
    assert len(sequence) < 100 * 12


def test_all_colours_are_defined_before_the_first_pixel() -> None:
    indices = np.arange(216, dtype=np.uint8).reshape(12, 18)
    body = encode_sixel(indices, PALETTE)
    last_definition = body.rindex(";2;")
    first_pixel = next(i for i, c in enumerate(body) if i > 20 and 63 <= ord(c) <= 126)
    assert last_definition < first_pixel


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="0x6 pixels"):
        encode_sixel(np.zeros((6, 0), np.uint8), PALETTE)
