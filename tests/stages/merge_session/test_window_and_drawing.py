"""Which part of a frame is shown at which size, and how each view looks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.events import FaceBox
from engine.protocol.merge_commands import MergeView
from engine.stages.merge_session.drawing import Layers, draw
from engine.stages.merge_session.window import window_for

FULL_HD = (1920, 1080)
FACE = FaceBox("a", 900, 300, 1100, 500)
LEFT_FACE = FaceBox("b", 100, 300, 300, 500)
VIEWS = ("result", "original", "mask", "alpha", "wipe", "side")


def layers(wh: tuple[int, int], scale: float = 1.0) -> Layers:
    """Red where it is the result, blue where it is the original, masked in the left half."""
    width, height = round(wh[0] * scale), round(wh[1] * scale)
    result, original = (np.zeros((height, width, 3), np.uint8) for _ in range(2))
    result[..., 2], original[..., 0] = 200, 200
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    return Layers(result, original, mask)


def drawn(view: MergeView, wh: tuple[int, int] = FULL_HD, scale: float = 1.0) -> np.ndarray:
    return draw(layers(wh, scale), view, window_for(view, wh, (FACE,)), wh)


def test_the_whole_frame_fits_the_box() -> None:
    window = window_for(MergeView(width=800, height=600), FULL_HD, (FACE,))
    assert window.crop == (0, 0, 1920, 1080)
    assert window.picture_wh == (800, 450)


def test_one_to_one_shows_frame_pixels_around_the_face() -> None:
    window = window_for(MergeView(zoom="1:1", width=400, height=300), FULL_HD, (FACE,))
    assert window.picture_wh == (400, 300) == window.crop[2:]
    assert window.crop[:2] == (800, 250)


def test_zoomed_to_a_face_it_is_in_the_middle_and_large() -> None:
    window = window_for(MergeView(zoom="face", width=400, height=400), FULL_HD, (FACE,))
    left, top, width, height = window.crop
    assert (left + width / 2, top + height / 2) == pytest.approx((1000, 400), abs=1)
    assert 300 <= width <= 400


def test_of_several_faces_the_named_one_is_zoomed_to_else_all() -> None:
    view = MergeView(zoom="face", width=400, height=400, track="b")
    left, _, width, _ = window_for(view, FULL_HD, (FACE, LEFT_FACE)).crop
    assert left < LEFT_FACE.left and left + width < FACE.left
    both = window_for(MergeView(zoom="face", width=400, height=400), FULL_HD, (FACE, LEFT_FACE))
    assert both.left <= LEFT_FACE.left and both.left + both.width >= FACE.right


def test_without_a_face_all_is_shown() -> None:
    window = window_for(MergeView(zoom="face", width=960, height=540), FULL_HD, ())
    assert window.crop == (0, 0, 1920, 1080)


@given(
    view=st.builds(
        MergeView,
        view=st.sampled_from(VIEWS),
        zoom=st.sampled_from(("fit", "face", "1:1")),
        scale=st.floats(0.1, 8),
        centre_x=st.none() | st.floats(-1, 2),
        centre_y=st.none() | st.floats(-1, 2),
        width=st.integers(1, 500),
        height=st.integers(1, 500),
    ),
    wh=st.tuples(st.integers(1, 700), st.integers(1, 700)),
)
def test_any_window_lies_in_the_frame_and_its_picture_in_the_box(
    view: MergeView, wh: tuple[int, int]
) -> None:
    window = window_for(view, wh, (FACE,))
    left, top, width, height = window.crop
    assert left >= 0 and left + width <= wh[0]
    assert top >= 0 and top + height <= wh[1]
    picture = draw(layers(wh), view, window, wh)
    assert picture.shape[0] <= view.height
    assert picture.shape[1] <= max(2, view.width)


def test_each_view_shows_its_layers() -> None:
    assert (drawn(MergeView(view="result"))[..., 2] == 200).all()
    assert (drawn(MergeView(view="original"))[..., 0] == 200).all()
    assert drawn(MergeView(view="mask")).mean() == pytest.approx(127.5, abs=1)
    side = drawn(MergeView(view="side"))
    half = side.shape[1] // 2
    assert (side[:, :half, 0] == 200).all() and (side[:, half:, 2] == 200).all()


def test_a_wipe_shows_the_result_up_to_its_place() -> None:
    picture = drawn(MergeView(view="wipe", wipe=0.25, width=400, height=400))
    assert (picture[:, :100, 2] == 200).all()
    assert (picture[:, 101:, 0] == 200).all()
    assert (drawn(MergeView(view="wipe", wipe=1))[..., 2] == 200).all()
    assert (drawn(MergeView(view="wipe", wipe=0))[..., 0] == 200).all()


def test_alpha_darkens_and_lets_a_checkerboard_through_where_the_frame_is_kept() -> None:
    picture = drawn(MergeView(view="alpha", width=640, height=360))
    masked, kept = picture[:, :310], picture[:, 330:]
    assert set(np.unique(masked[..., 1])) == {0} and (masked[..., 2] == 150).all()
    assert set(np.unique(kept[..., 1])) == {0, 64} and set(np.unique(kept[..., 2])) == {150, 214}


def test_layers_of_a_proxy_show_the_same_part_at_the_same_size() -> None:
    view = MergeView(zoom="face", width=400, height=300, view="mask")
    full, proxy = drawn(view), drawn(view, scale=0.25)
    assert full.shape == proxy.shape
    assert np.abs(full.astype(int) - proxy).mean() < 8
