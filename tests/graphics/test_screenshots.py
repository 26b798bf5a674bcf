"""Real pixels: the test card in xterm, direct and inside tmux, looked at by screenshots."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.graphics.card_app import CARD_COLOURS, card
from tests.graphics.xterm import Screen, needs_xterm, sixel_tmux, xterm

pytestmark = [pytest.mark.terminal, pytest.mark.slow]

# The view's place in cells, after the 3 pixels of xterm's borders. A cell of DejaVu Sans Mono 11
# has 9x19 pixels.
LEFT_PX, TOP_PX = 3 + 4 * 9, 3 + 3 * 19
HEIGHT_PX, WIDTH_PX = card().shape[:2]


@pytest.fixture(params=["direct", "tmux"])
def screen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Screen]:
    needs_xterm()
    tmux = sixel_tmux() if request.param == "tmux" else None
    with xterm(tmp_path, "-m", "tests.graphics.card_app", tmux=tmux) as shown:
        yield shown


def picture_of(shot: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return shot[TOP_PX : TOP_PX + HEIGHT_PX, LEFT_PX : LEFT_PX + WIDTH_PX]


def shows(turn: int) -> object:
    return lambda shot: np.array_equal(picture_of(shot), card(turn=turn, fine=True))


def counts(shot: NDArray[np.uint8]) -> list[int]:
    return [int((shot == colour).all(-1).sum()) for colour in CARD_COLOURS]


def test_every_pixel_of_the_card_is_where_and_what_it_should_be(screen: Screen) -> None:
    shot = screen.wait_for(shows(0))
    assert np.array_equal(picture_of(shot), card(fine=True))
    assert counts(shot) == counts(card(fine=True)), "no pixel outside its place"


def test_the_next_picture_replaces_all_of_the_one_before(screen: Screen) -> None:
    screen.wait_for(shows(0))
    screen.press("n")
    assert np.array_equal(picture_of(screen.wait_for(shows(1))), card(turn=1, fine=True))


def test_under_a_dialog_the_picture_is_dimmed_and_comes_back_whole(screen: Screen) -> None:
    screen.wait_for(shows(0))
    screen.press("m")
    dimmed = screen.wait_for(lambda shot: counts(shot) == [0, 0, 0, 0])
    assert counts(dimmed) == [0, 0, 0, 0], "no pixels of the picture shine through"
    assert (picture_of(dimmed)[10, 10] > (60, -1, -1)).all(), "its characters stay, in red"
    screen.press("Escape")
    assert np.array_equal(picture_of(screen.wait_for(shows(0))), card(fine=True))


def test_a_layer_over_the_picture_stays_on_top_of_new_frames(screen: Screen) -> None:
    screen.wait_for(shows(0))
    screen.press("o")
    covered = slice(5 * 19, 8 * 19), slice(26 * 9, 40 * 9)
    screen.wait_for(lambda shot: (picture_of(shot)[covered][2:-2] != (0, 255, 0)).any(-1).all())
    screen.press("n")
    expected = card(turn=1, fine=True)

    def around_it_is_new(shot: NDArray[np.uint8]) -> bool:
        picture = picture_of(shot).copy()
        picture[covered] = expected[covered]
        # 6 rows of 19 pixels are whole bands of sixels: below the layer they are drawn in pixels.
        in_pixels = slice(8 * 19, 14 * 19)
        exact = np.array_equal(picture[in_pixels], expected[in_pixels])
        return bool(exact and np.abs(_cell_means(picture) - _cell_means(expected)).max() < 40)

    shot = screen.wait_for(around_it_is_new)
    assert around_it_is_new(shot)
    assert counts(shot)[2] < counts(expected)[2], "the layer hides a part"
    screen.press("o")
    assert np.array_equal(picture_of(screen.wait_for(shows(1))), expected)


def _cell_means(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean colour of each cell: what characters can show."""
    return picture.reshape(18, 19, 40, 9, 3).mean((1, 3))


def test_after_a_stream_of_frames_the_last_one_stands(screen: Screen) -> None:
    screen.wait_for(shows(0))
    screen.press("n", "v")
    shot = screen.wait_for(
        lambda shot: not np.array_equal(picture_of(shot), card(turn=1, fine=True))
    )
    assert not np.array_equal(picture_of(shot), card(turn=1, fine=True))
    assert np.array_equal(picture_of(screen.wait_for(shows(0))), card(fine=True))


def test_a_forced_character_mode_draws_the_card_in_blocks(tmp_path: Path) -> None:
    needs_xterm()
    os.environ["FACEWRIGHT_GRAPHICS"] = "half"
    try:
        with xterm(tmp_path, "-m", "tests.graphics.card_app") as shown:
            shot = shown.wait_for(_quarters_are_dimmed_by_lines)
    finally:
        del os.environ["FACEWRIGHT_GRAPHICS"]
    assert _quarters_are_dimmed_by_lines(shot)
    assert counts(shot) == [0, 0, 0, 0], "no pixels, only characters"


def _quarters_are_dimmed_by_lines(shot: NDArray[np.uint8]) -> bool:
    """In characters, the lines' black mixes with the colours: six sevenths remain."""
    quarters = picture_of(shot).reshape(2, HEIGHT_PX // 2, 2, WIDTH_PX // 2, 3).mean((1, 3))
    expected = np.array(CARD_COLOURS)[[0, 1, 3, 2]].reshape(2, 2, 3) * 6 / 7
    return bool(np.abs(quarters - expected).max() < 12)


def test_a_new_tmux_pane_gets_neither_pictures_nor_answers_meant_for_the_app(
    tmp_path: Path,
) -> None:
    needs_xterm()
    with xterm(tmp_path, "-m", "tests.graphics.card_app", tmux=sixel_tmux()) as shown:
        shown.wait_for(shows(0))
        shown.press("v")
        # The card's right half is where the new pane begins.
        shown.tmux("split-window", "-h", "-l", "75", "cat")
        at_border_px = 3 + 25 * 9
        shot = shown.wait_for(lambda shot: _has_card_colours(shot[:, :at_border_px]))
        assert _has_card_colours(shot[:, :at_border_px])
        assert not _has_card_colours(shot[:, at_border_px:])
        assert shown.tmux("capture-pane", "-p", "-t", "1").strip() == ""


def _has_card_colours(shot: NDArray[np.uint8]) -> bool:
    # tmux's own border and status line are green: the other three colours tell.
    found = counts(shot)
    return sum(found[:1] + found[2:]) > 500
