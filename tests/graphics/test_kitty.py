import base64
import re
from io import BytesIO

import numpy as np
from PIL import Image

from tests.graphics.card_app import card
from tuiapp.graphics.iterm2 import encode_iterm2
from tuiapp.graphics.kitty import deletion, placeholder_row, transmission

_GRAPHICS = re.compile(r"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\")


def sent(text: str) -> tuple[dict[str, str], bytes, list[str]]:
    """Keys of the first sequence, all data together, and the `m` key of each."""
    sequences = _GRAPHICS.findall(text)
    keys = [dict(pair.split("=") for pair in control.split(",")) for control, _ in sequences]
    return keys[0], base64.b64decode("".join(data for _, data in sequences)), [k["m"] for k in keys]


def test_a_picture_is_sent_whole_in_pieces_of_which_the_last_is_marked() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    keys, png, more = sent(transmission(picture, 77, 10, 3, inside_tmux=False))
    assert np.array_equal(np.asarray(Image.open(BytesIO(png))), picture)
    assert (keys["i"], keys["c"], keys["r"], keys["U"]) == ("77", "10", "3", "1")
    assert more == ["1"] * (len(more) - 1) + ["0"]
    assert len(more) > 1


def test_kitty_is_told_never_to_answer_because_answers_would_be_read_as_keys() -> None:
    text = transmission(card(), 5, 4, 4, inside_tmux=False) + deletion(5, inside_tmux=False)
    assert all("q=2" in control for control, _ in _GRAPHICS.findall(text))


def test_no_piece_is_longer_than_the_protocol_allows() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    text = transmission(picture, 5, 4, 4, inside_tmux=False)
    assert max(len(data) for _, data in _GRAPHICS.findall(text)) <= 4096


def test_inside_tmux_every_sequence_is_wrapped_and_comes_out_unchanged() -> None:
    plain = transmission(card(), 5, 4, 4, inside_tmux=False)
    wrapped = transmission(card(), 5, 4, 4, inside_tmux=True)
    assert wrapped.startswith("\x1bPtmux;")
    pieces = re.findall(r"\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\", wrapped)
    assert "".join(pieces).replace("\x1b\x1b", "\x1b") == plain


def test_a_row_of_placeholders_carries_id_and_row() -> None:
    text = placeholder_row(0x0A0B0C, 1, 5, truecolor=True)
    assert "\x1b[0;38;2;10;11;12m" in text
    assert text.count("\U0010eeee") == 5
    # U+030D is the second of kitty's marks: row 1; U+0305 the first: column 0.
    assert "\U0010eeee\u030d\u0305" in text


def test_with_256_colours_the_id_is_a_palette_entry() -> None:
    assert "\x1b[0;38;5;200m" in placeholder_row(200, 0, 3, truecolor=False)


def test_an_iterm2_picture_is_a_jpeg_of_the_right_size_in_cells() -> None:
    text = encode_iterm2(card(), 40, 18, jpeg_quality=90)
    match = re.fullmatch(r"\x1b\]1337;File=([^:]*):([^\x07]*)\x07", text)
    assert match is not None
    keys = dict(pair.split("=") for pair in match[1].split(";"))
    data = base64.b64decode(match[2])
    assert (keys["width"], keys["height"], keys["size"]) == ("40", "18", str(len(data)))
    shown = np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(shown - card()).mean() < 3
