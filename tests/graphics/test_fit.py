import numpy as np
import pytest

from tuiapp.graphics.fit import compose, place
from tuiapp.graphics.frame import Fit


def test_contain_shows_the_whole_picture_centred() -> None:
    placement = place((200, 100), (100, 100), Fit.CONTAIN)
    assert placement.target == (0, 25, 100, 75)
    assert placement.source == (0, 0, 200, 100)


def test_cover_fills_the_box_and_cuts_the_sides_off_evenly() -> None:
    placement = place((200, 100), (100, 100), Fit.COVER)
    assert placement.target == (0, 0, 100, 100)
    assert placement.source == (50, 0, 150, 100)


def test_actual_size_is_cut_to_the_box_around_the_middle() -> None:
    placement = place((300, 20), (100, 100), Fit.ACTUAL)
    assert placement.target == (0, 40, 100, 60)
    assert placement.source == (100, 0, 200, 20)


def test_pixels_twice_as_high_as_wide_are_allowed_for() -> None:
    # On the screen, 100x50 of such pixels are square.
    assert place((80, 80), (100, 50), Fit.CONTAIN, 0.5).target == (0, 0, 100, 50)


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("picture", [(1, 1), (7, 3), (1, 500), (500, 1), (64, 64)])
@pytest.mark.parametrize("box", [(1, 1), (64, 64), (30, 200)])
def test_every_picture_lies_within_every_box(
    fit: Fit, picture: tuple[int, int], box: tuple[int, int]
) -> None:
    rgb = np.full((picture[1], picture[0], 3), 200, np.uint8)
    canvas, (left, top, right, bottom) = compose(rgb, box, fit, (1, 2, 3))
    assert canvas.shape == (box[1], box[0], 3)
    assert 0 <= left < right <= box[0]
    assert 0 <= top < bottom <= box[1]
    assert (canvas[top:bottom, left:right] == 200).all()


def test_what_the_picture_does_not_fill_is_background() -> None:
    canvas, (_, top, _, bottom) = compose(
        np.full((10, 40, 3), 255, np.uint8), (40, 40), Fit.CONTAIN, (9, 8, 7)
    )
    assert (canvas[:top] == (9, 8, 7)).all()
    assert (canvas[bottom:] == (9, 8, 7)).all()


def test_a_picture_of_the_box_s_own_size_is_not_touched() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (33, 44, 3)).astype(np.uint8)
    canvas, _ = compose(rgb, (44, 33), Fit.CONTAIN, (0, 0, 0))
    assert np.array_equal(canvas, rgb)


def test_less_detail_means_fewer_distinct_pixels() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    coarse, _ = compose(rgb, (64, 64), Fit.CONTAIN, (0, 0, 0), detail=0.5)
    assert coarse.shape == (64, 64, 3)
    assert np.array_equal(coarse[0::2], coarse[1::2])
