from __future__ import annotations

import collections
import datetime
import functools
import os
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import InputError
from tests.faces.fuzzing import mutated, survives_in_little_memory

VALUES: dict[str, Any] = {
    "none": None,
    "flags": [True, False],
    "integers": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**63 - 1, -(2**63)],
    "floats": [0.0, -1.5, 1e300, float("inf")],
    "text": "Gesicht ü 顔 \udcff",
    "long_text": "x" * 300,
    "bytes": b"\x00\xff" * 200,
    "nothing": [[], {}, (), "", b""],
    "points": [[1.0, 2.0], [3.0, 4.5]],
    "legacy": [(1, [[1.0, 2.0]]), (0, [])],
    "nested": {"a": {"b": [({"c": (1, 2, 3, 4)},)]}},
    "f8": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "i8": np.array([1, -2, 3, 4]),
    "i4": np.array([1, -2], np.int32),
    "f4": np.ones((3, 2), np.float32),
    "u1": np.arange(200, dtype=np.uint8).reshape(-1, 1),
    "empty": np.zeros((0, 2), np.float32),
    "scalar": np.float64(1.25),
}


def same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        same_kind = left.dtype == right.dtype and left.shape == right.shape
        return bool(same_kind and (left == right).all())
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        same_kind = type(left) is type(right) and len(left) == len(right)
        return same_kind and all(map(same, left, right))
    return bool(left == right) and isinstance(right, bool) == isinstance(left, bool)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_is_read_in_every_pickle_protocol(protocol: int) -> None:
    for key, value in VALUES.items():
        if protocol >= 3 or key not in ("nothing", "empty"):  # older ones call a type for b""
            assert same(decode_pickle(pickle.dumps(value, protocol)), value), key


def test_arrays_of_numpy_1_and_2_are_read() -> None:
    written = pickle.dumps(VALUES["f8"], 4)
    for module in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        names = b"\x8c" + struct.pack("<B", len(module)) + module
        start = written.index(b"\x8c")
        end = start + 2 + written[start + 1]
        renamed = b"\x80\x04" + names + written[end:]
        assert same(decode_pickle(renamed), VALUES["f8"])


def test_enum_values_of_packs_become_numbers() -> None:
    for name in (b"facelib.FaceType\nFaceType", b"samplelib.Sample\nSampleType"):
        assert decode_pickle(b"\x80\x04c" + name + b"\nK\x04\x85R.") == 4


def test_what_is_written_reads_back_here_and_in_python() -> None:
    written = dfl_pickle(VALUES)
    assert written.startswith(b"\x80\x04")
    assert same(decode_pickle(written), VALUES)
    assert same(pickle.loads(written), VALUES)


def test_arrays_are_written_under_the_names_that_old_numpy_knows() -> None:
    written = dfl_pickle({"mat": VALUES["f8"]})
    assert b"numpy.core.multiarray" in written
    assert b"_core" not in written


@pytest.mark.parametrize("value", [{1}, object(), np.array(["a"]), {1: 2}, 2**64, {"a": [1j]}])
def test_anything_but_plain_data_is_not_written(value: Any) -> None:
    with pytest.raises(InputError):
        dfl_pickle({"value": value})


def test_a_value_that_contains_itself_is_not_written() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InputError):
        dfl_pickle({"loop": loop})


class Hostile:
    """Pickles to a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any, state: Any = None) -> None:
        self.recipe = (function, arguments, state) if state else (function, arguments)

    def __reduce__(self) -> Any:
        return self.recipe


def hostile_values(marker: Path) -> dict[str, Any]:
    code = f"open({str(marker)!r}, 'w').close()"
    touch = f"touch {marker}"
    return {
        "system": Hostile(os.system, touch),
        "eval": Hostile(eval, code),
        "exec": Hostile(exec, code),
        "open": Hostile(open, str(marker), "w"),
        "partial": Hostile(functools.partial, os.system, touch),
        "getattr": Hostile(getattr, Path, "cwd"),
        "nested": {"landmarks": [[Hostile(os.system, touch)]]},
        "in_tuple": (1, (2, Hostile(os.system, touch))),
        "as_argument": Hostile(list, Hostile(os.system, touch)),
        "array_of_objects": np.array([Hostile(os.system, touch)], dtype=object),
        "array_state": Hostile(np.zeros, 3, state=(1, (1,), np.dtype("O"), False, [1])),
        "structured": np.zeros(1, dtype=[("a", "f8")]),
        "dates": np.zeros(1, "M8[s]"),
        "texts": np.array(["a"]),
        "complex": 1j,
        "set": {1},
        "frozen": frozenset({1}),
        "ordered": collections.OrderedDict(a=1),
        "date": datetime.datetime(2020, 1, 1),
        "path": Path("a"),
        "class": dict,
        "function": os.system,
        "number_keys": {1: 2},
        "huge_integer": 2**80,
        "half": np.zeros(1, np.float16),
        "big_endian": np.zeros(1, ">f8"),
    }


@pytest.mark.parametrize("name", hostile_values(Path("x")))
@pytest.mark.parametrize("protocol", range(6))
def test_everything_but_plain_data_is_refused_and_not_run(
    name: str, protocol: int, tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    payload = pickle.dumps(hostile_values(marker)[name], protocol)
    with pytest.raises(InputError):
        decode_pickle(payload)
    assert not marker.exists()


def test_the_hostile_values_would_run_in_python(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    pickle.loads(pickle.dumps(hostile_values(marker)["nested"], 4))
    assert marker.exists()


HAND_MADE: dict[str, bytes] = {
    "empty": b"",
    "no stop": b"\x80\x04N",
    "nothing on the stack": b"\x80\x04.",
    "stack underflow": b"\x80\x04\x87.",
    "protocol 6": b"\x80\x06N.",
    "inst": b"(S'true'\nios\nsystem\n.",
    "obj": b"(cnumpy\nndarray\no.",
    "newobj": b"\x80\x02cnumpy\nndarray\n)\x81.",
    "newobj_ex": b"\x80\x04cnumpy\nndarray\n)}\x92.",
    "persistent id": b"Pname\n.",
    "binary persistent id": b"\x80\x02K\x01Q.",
    "extension code": b"\x80\x02\x82\x01.",
    "next buffer": b"\x80\x05\x97.",
    "dup": b"]2a.",
    "set": b"\x80\x04\x8f.",
    "python 2 text": b"U\x01a.",
    "a symbol as the value": b"cnumpy\nndarray\n.",
    "a symbol in a list": b"](cnumpy\nndarray\ne.",
    "a symbol in a dict": b"}(X\x01\x00\x00\x00acnumpy\nndarray\nu.",
    "a symbol in a tuple": b"cnumpy\nndarray\n\x85.",
    "a symbol in a tuple in a list": b"]cnumpy\nndarray\n\x85a.",
    "a dtype as the value": b"cnumpy\ndtype\n(X\x02\x00\x00\x00f8\x89\x88tR.",
    "an unbuilt array": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR.",
    "stack global of other things": b"\x80\x04K\x01K\x02\x93.",
    "calls a number": b"\x80\x04K\x01)R.",
    "calls the array type": b"\x80\x04cnumpy\nndarray\n)R.",
    "builds a dict": b"}}b.",
    "builds a list": b"]}b.",
    "appends to a number": b"K\x01K\x02a.",
    "appends to a tuple": b")K\x02a.",
    "sets in a list": b"]X\x01\x00\x00\x00aK\x02s.",
    "odd number of items": b"}(X\x01\x00\x00\x00au.",
    "missing memo": b"h\x07.",
    "huge binbytes": b"\x80\x04B\xff\xff\xff\xff.",
    "huge binbytes8": b"\x80\x04\x8e" + b"\xff" * 8 + b".",
    "huge bytearray": b"\x80\x05\x96" + b"\xff" * 8 + b".",
    "huge text": b"\x80\x04X\xff\xff\xff\x7f.",
    "huge long": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "negative long": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "endless number": b"I" + b"9" * 60000 + b"\n.",
    "bad number": b"Iabc\n.",
    "bad float": b"Fabc\n.",
    "bad utf-8": b"X\x01\x00\x00\x00\xff.",
    "unknown opcode": b"\xff.",
    "deep lists by marks": b"(" * 60000 + b"l" * 60000 + b".",
    "three thousand marks": b"(" * 3000 + b"l" * 3000 + b".",
    "deep lists by append": b"]" * 3000 + b"a" * 2999 + b".",
    "deep tuples": b")" + b"\x85" * 3000 + b".",
    "deep dicts": b"}" + b"X\x01\x00\x00\x00a}" * 3000 + b"s" * 3000 + b".",
    "a list in itself": b"]q\x00h\x00a.",
    "a list in itself through a tuple": b"]q\x00h\x00\x85a.",
    "a dict in itself": b"}q\x00X\x01\x00\x00\x00ah\x00s.",
    "doubling tuples": b"X\x02\x00\x00\x00hoq\x00" + b"h\x00h\x00\x86q\x00" * 40 + b".",
    "memo of one text": b"](X\x00\x40\x00\x00"
    + b"a" * 0x4000
    + b"q\x00"
    + b"h\x00" * 20000
    + b"e.",
    "memo entries": b"]" + b"\x94" * 60000 + b".",
    "very deep tuples": b")" + b"\x85" * 60000 + b".",
    "many objects": b"(" + b"]" * 60000 + b"l.",
}


def billion_laughs() -> bytes:
    """Ten lists, each of twenty references to the one before."""
    levels = [b"](K\x01e" + b"q\x00"]
    for level in range(1, 11):
        references = (b"h" + bytes([level - 1])) * 20
        levels.append(b"](" + references + b"e" + b"q" + bytes([level]))
    return b"".join(levels) + b"."


def repeated_arrays() -> bytes:
    """One content of 30 kB, built into a thousand arrays."""
    head = b"](X\x00\x00\x00\x00" + b"B" + struct.pack("<I", 30000) + b"a" * 30000 + b"q\x00"
    dtype = b"cnumpy\ndtype\n(X\x02\x00\x00\x00u1\x89\x88tRq\x01"
    shape = b"J" + struct.pack("<i", 30000) + b"\x85q\x02"
    new = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btq\x03R"
    array = new + b"(K\x01h\x02h\x01\x89h\x00tb"
    return head + dtype + shape + b"0" * 3 + array * 1000 + b"e."


MADE = HAND_MADE | {"billion laughs": billion_laughs(), "repeated arrays": repeated_arrays()}


@pytest.mark.parametrize("name", MADE)
def test_malformed_and_exhausting_pickles_are_refused_in_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            decode_pickle(MADE[name])
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("shape", "content_bytes"),
    [((4,), 31), ((4,), 33), ((-4,), 32), ((2**62, 4), 0), ((2**40, 2**40), 0), ((1,) * 9, 8)],
)
def test_arrays_whose_shape_does_not_match_their_content_are_refused(
    shape: tuple[int, ...], content_bytes: int
) -> None:
    honest = pickle.dumps(np.zeros(4), 2)
    assert same(decode_pickle(honest), np.zeros(4))
    dtype = b"cnumpy\ndtype\n(X\x02\x00\x00\x00f8\x89\x88tR"
    sides = b"".join(b"\x8a\x08" + struct.pack("<q", side) for side in shape)
    content = b"B" + struct.pack("<I", content_bytes) + b"\x00" * content_bytes
    new = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
    made = new + b"(K\x01(" + sides + b"t" + dtype + b"\x89" + content + b"tb."
    with pytest.raises(InputError):
        decode_pickle(made)


def test_shared_values_of_ordinary_size_are_fine() -> None:
    points = [[1.0, 2.0]] * 10
    assert decode_pickle(pickle.dumps({"a": points, "b": points}, 4)) == {"a": points, "b": points}


def test_bytes_after_the_end_are_ignored() -> None:
    assert decode_pickle(pickle.dumps({"a": 1}, 4) + b"rest") == {"a": 1}


def mutations(count: int, seed: int) -> None:
    """Change, cut, insert and repeat bytes of good and hostile pickles: only `InputError` comes."""
    random = np.random.default_rng(seed)
    seeds = [pickle.dumps(VALUES, 4), dfl_pickle(VALUES), pickle.dumps(VALUES, 2)[:3000]]
    seeds += [pickle.dumps(value, 4) for value in hostile_values(Path("x")).values()]
    seeds += [pickle.dumps(VALUES["f8"], protocol) for protocol in range(6)]
    for _ in range(count):
        data = mutated(seeds[random.integers(len(seeds))], random)
        try:
            decode_pickle(data)
        except InputError:
            continue


def test_mutated_pickles_give_a_value_or_are_refused() -> None:
    mutations(4000, seed=1)


@pytest.mark.slow
def test_sixty_thousand_mutated_pickles_give_a_value_or_are_refused_in_little_memory() -> None:
    assert survives_in_little_memory(partial(mutations, 60_000, seed=2), 1 << 27)
