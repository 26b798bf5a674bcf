"""Pickles with objects are read as plain data; nothing that they name is looked up or run."""

from __future__ import annotations

import pathlib
import pickle
from pathlib import Path

import pytest

from engine.faces.inert_objects import decode_with_objects
from engine.protocol.errors import InputError

PROTOCOL = b"\x80\x04"


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def symbol(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


FRAME = symbol("merger.FrameInfo", "FrameInfo")


def decoded(*opcodes: bytes) -> object:
    return decode_with_objects(PROTOCOL + b"".join(opcodes) + b".")


def test_an_object_is_the_dict_of_its_attributes() -> None:
    assert decoded(FRAME, b")\x81}", text("power"), b"K\x05sb") == {"power": 5}


def test_an_object_used_again_is_the_same_one() -> None:
    frame = FRAME + b")\x81\x94}" + text("power") + b"K\x05sb"
    assert decoded(b"]", frame, b"a", b"h\x00a") == [{"power": 5}] * 2


def test_paths_of_any_system_are_their_parts() -> None:
    posix, windows = pathlib.PurePosixPath("/a/b.png"), pathlib.PureWindowsPath("D:/a/b.png")
    assert decode_with_objects(pickle.dumps([posix, windows])) == [
        ("/", "a", "b.png"),
        ("D:\\", "a", "b.png"),
    ]


def test_numbers_may_be_keys() -> None:
    assert decode_with_objects(pickle.dumps({0: "None", 2: "box"})) == {0: "None", 2: "box"}


class Hostile:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, (self.command,)


def test_a_call_is_refused_and_not_made(tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(InputError) as refused:
        decode_with_objects(pickle.dumps([Hostile(f"touch {made}")]))
    assert refused.value.code == "unsafe-data"
    assert not made.exists()


@pytest.mark.parametrize(
    "opcodes",
    [
        symbol("os", "system") + text("true") + b"\x85R",
        symbol("builtins", "eval") + text("1") + b"\x85R",
        FRAME + text("x") + b"\x85R",  # a call of a class
        FRAME,  # a class as a value
        FRAME + b"K\x01\x85\x81",  # an object made of something
        FRAME + b"N\x81",
        symbol("pathlib", "PosixPath") + b")\x81",  # a path as an object
        symbol("pathlib", "PosixPath") + b"K\x01\x85R",  # a path of a number
        symbol("pathlib", "PosixPath") + FRAME + b"\x85R",
        symbol("numpy", "ndarray") + b")\x81",
        symbol("builtins", "getattr") + FRAME + text("__class__") + b"\x86R",  # a name as a value
        symbol("builtins", "getattr") + text("ab") + b"\x85R",
        symbol("builtins", "getattr") + b"K\x01R",
        symbol("builtins", "getattr") + symbol("numpy", "ndarray") + text("tofile") + b"\x86R)\x81",
        symbol("builtins", "getattr") + FRAME + text("x" * 250) + b"\x86R)\x81",
        symbol("builtins", "getattr") + b")\x81",
        FRAME + b")\x81K\x01b",  # an object whose state is a number
        FRAME + b")\x81N}\x86b",  # ... or is in slots
        b"}" + FRAME + b"K\x01s",  # a class as a key
        b"}K\x01" + FRAME + b"s",  # a class in a dict
        b"(K\x01" + FRAME + b"o",  # other ways to make objects
    ],
)
def test_whatever_is_not_an_object_of_the_merger_is_refused(opcodes: bytes) -> None:
    with pytest.raises(InputError) as refused:
        decoded(opcodes)
    assert refused.value.code in ("unsafe-data", "broken-data")


def test_an_object_within_itself_is_refused() -> None:
    with pytest.raises(InputError, match="contains itself"):
        decoded(FRAME, b")\x81\x94}", text("me"), b"h\x00sb")
