"""Lines of the wire: what cannot be carried, what is not one."""

from __future__ import annotations

import pytest

from engine.protocol.errors import StageError, UsageError
from engine.protocol.events import Note
from engine.protocol.options import FilePath, Option
from engine.protocol.wire import decode_command, decode_event, encode


def test_a_file_name_that_is_not_utf8_can_be_told() -> None:
    told = decode_event(encode(Note(text="no face in caf\udce9.png", seq=3)))
    assert isinstance(told, Note)
    assert (told.text, told.seq) == ("no face in caf?.png", 3)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b'{"cmd":"rm"}',
        b'{"cmd":"set-option","name":"\xff","value":1}',
        b'{"cmd":"set-option","name":"x","value":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_command_is_refused(line: bytes) -> None:
    with pytest.raises(StageError, match="not a command"):
        decode_command(line)


def test_an_option_that_is_not_utf8_is_refused() -> None:
    option = Option("output", "Output", FilePath(), "", "Where to.")
    with pytest.raises(UsageError, match="UTF-8"):
        option.parse("caf\udce9.mp4")
