import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.protocol.errors import InputError
from tests.graphics.card_app import card
from tests.graphics.sixel_reader import read_sixel
from tuiapp.graphics.show import show_picture
from tuiapp.graphics.terminal import Colours, Protocol, TerminalGraphics

GRAPHICS = TerminalGraphics(Protocol.QUADRANT, cell_width_px=9, cell_height_px=19)


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    path = tmp_path / "card.png"
    Image.fromarray(card()).save(path)
    return path


def printed(path: Path, graphics: TerminalGraphics) -> str:
    out = StringIO()
    show_picture(path, out, graphics)
    return out.getvalue()


def test_in_characters_a_picture_keeps_its_size_in_cells(picture: Path) -> None:
    lines = printed(picture, GRAPHICS).splitlines()
    cells = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    assert len(lines) == 18
    assert {len(line) for line in cells} == {40}
    assert all(line.endswith("\x1b[0m") for line in lines)
    assert "38;2;255;0;0" in lines[0] or "48;2;255;0;0" in lines[0]


@pytest.mark.parametrize(
    ("colours", "codes"), [(Colours.PALETTE_256, r"[34]8;5;\d+"), (Colours.ANSI_16, r"\d{2,3}")]
)
def test_in_a_poor_terminal_only_its_own_colours_are_named(
    picture: Path, colours: Colours, codes: str
) -> None:
    text = printed(picture, replace(GRAPHICS, colours=colours))
    assert re.fullmatch(rf"(?s)(\x1b\[({codes};{codes}|0)m[^\x1b]*)+", text)


def test_in_a_sixel_terminal_the_picture_is_printed_in_sixel(picture: Path) -> None:
    text = printed(picture, replace(GRAPHICS, protocol=Protocol.SIXEL))
    assert text.startswith("\x1bP")
    assert text.endswith("\x1b\\\n")
    assert '"1;1;360;342' in text


def test_inside_tmux_sixel_is_our_own_and_exact(picture: Path) -> None:
    graphics = replace(GRAPHICS, protocol=Protocol.SIXEL, inside_tmux=True)
    text = printed(picture, graphics).rstrip("\n")
    assert np.array_equal(read_sixel(text, (9, 9, 9)), card())


def test_in_kitty_the_picture_is_sent_and_its_cells_are_printed(picture: Path) -> None:
    text = printed(picture, replace(GRAPHICS, protocol=Protocol.KITTY))
    assert text.startswith("\x1b_Ga=T,U=1")
    assert text.count("\U0010eeee") == 40 * 18


def test_in_iterm2_the_picture_is_printed_inline(picture: Path) -> None:
    text = printed(picture, replace(GRAPHICS, protocol=Protocol.ITERM2))
    assert text.startswith("\x1b]1337;File=")
    assert "width=40;height=18;" in text


def test_a_picture_larger_than_the_terminal_is_made_to_fit(picture: Path) -> None:
    Image.new("RGB", (4000, 3000), "red").save(picture)
    lines = printed(picture, GRAPHICS).splitlines()
    assert len(lines) <= 22
    assert len(re.sub(r"\x1b\[[\d;]*m", "", lines[0])) <= 80


def test_switched_off_nothing_is_printed(picture: Path) -> None:
    assert printed(picture, replace(GRAPHICS, protocol=Protocol.OFF)) == ""


def test_a_file_that_is_not_there_or_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png cannot be read"):
        printed(tmp_path / "none.png", GRAPHICS)
    text = tmp_path / "text.png"
    text.write_text("no picture")
    with pytest.raises(InputError, match="no readable picture"):
        printed(text, GRAPHICS)
