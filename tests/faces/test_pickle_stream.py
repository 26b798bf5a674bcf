"""Long pickles item by item: what Python pickled comes back, hostile ones take no memory."""

from __future__ import annotations

import io
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.pickle_stream import LONGEST_ITEM_BYTES, dict_items, list_items
from engine.protocol.errors import InputError
from tests.faces.test_restricted_pickle import MADE

pytestmark = pytest.mark.slow

PROTOCOLS = range(6)


def row(number: int) -> dict[str, Any]:
    """What a pack's list holds of a face, and an array besides."""
    return {
        "filename": f"{number:05d}_0.jpg",
        "person_name": f"person {number % 3}",
        "shape": (512, 512, 3),
        "landmarks": [[number + 0.5, float(point)] for point in range(3)],
        "seg_ie_polys": {"polys": [{"type": 1, "pts": np.full((3, 2), number, np.float32)}]},
        "xseg_mask": None,
        "nothing": {},
        "one": {"value": number},
    }


def same_pickle(found: list[Any], wanted: list[Any]) -> bool:
    """Whether both are equal, arrays included, which do not compare to one truth."""
    return [dfl_pickle({"item": item}) for item in found] == [
        dfl_pickle({"item": item}) for item in wanted
    ]


def listed(data: bytes) -> list[Any]:
    return list(list_items(io.BytesIO(data), len(data)))


def by_name(data: bytes) -> list[tuple[str, Any]]:
    return list(dict_items(io.BytesIO(data), len(data)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("count", [0, 1, 2, 2001])
def test_a_list_of_dicts_comes_as_it_was_pickled(count: int, protocol: int) -> None:
    rows = [row(number) for number in range(count)]
    assert same_pickle(listed(pickle.dumps(rows, protocol)), rows)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("count", [0, 1, 2, 2001])
def test_a_dict_of_pairs_comes_as_it_was_pickled(count: int, protocol: int) -> None:
    pairs = {f"{n:05d}.jpg": ((512, 512, 3), row(n)) for n in range(count)}
    assert same_pickle(by_name(pickle.dumps(pairs, protocol)), list(pairs.items()))


def test_items_of_other_forms_come_too() -> None:
    values = [1, {}, {"a": 1}, "b", [2], {}, (3,), {"c": {}}]
    assert listed(pickle.dumps(values, 4)) == values
    named = {"a": 1, "b": ((1, 2), {}), "c": "d", "e": ((3,), {"f": 1}), "g": None}
    assert by_name(pickle.dumps(named, 4)) == list(named.items())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_items_of_nothing_but_an_array_come_too(protocol: int) -> None:
    values = [{"mask": np.arange(9, dtype=np.uint8)}, {}, {"mask": np.zeros(2)}]
    assert same_pickle(listed(pickle.dumps(values, protocol)), values)


def test_names_shared_by_items_far_apart_are_known_to_the_last() -> None:
    person, type_name = "somebody", "whole_face"
    rows = [
        {"filename": f"{number}.jpg", "person_name": person, "face_type": type_name}
        for number in range(70_000)
    ]
    assert listed(pickle.dumps(rows, 4)) == rows


def test_an_item_that_shares_a_list_with_an_earlier_one_is_refused() -> None:
    shared = [[1.0, 2.0]]
    rows = [{"landmarks": shared}, {"landmarks": [[3.0, 4.0]]}, {"landmarks": shared}]
    with pytest.raises(InputError, match="part of an earlier item"):
        listed(pickle.dumps(rows, 4))


def test_a_list_within_an_item_may_be_shared_there() -> None:
    points = [[1.0, 2.0]] * 5
    assert listed(pickle.dumps([{"a": points, "b": points}], 4)) == [{"a": points, "b": points}]


@pytest.mark.parametrize("value", [None, 7, "text", (1, 2), {"a": 1}])
def test_anything_but_a_list_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="one list of items"):
        listed(pickle.dumps(value, 4))


def test_a_list_is_no_dict_of_items() -> None:
    with pytest.raises(InputError, match="one dict of items"):
        by_name(pickle.dumps([{"a": 1}], 4))


@pytest.mark.parametrize("cut", [0, 1, 5, 400, -1])
def test_a_pickle_that_is_cut_short_is_refused(cut: int) -> None:
    data = pickle.dumps([row(1), row(2)], 4)[:cut]
    with pytest.raises(InputError):
        listed(data)


@pytest.mark.parametrize("name", MADE)
def test_hostile_items_are_refused_in_little_memory(name: str) -> None:
    good = dfl_pickle(row(1))[11:-1]
    data = b"\x80\x04](" + good + b"}(X\x01\x00\x00\x00a" + MADE[name][:-1] + b"u}e."
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            listed(data)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_an_endless_item_is_refused_before_it_is_in_memory() -> None:
    text = b"X\x00\x00\x10\x00" + b"a" * 0x100000
    data = b"\x80\x04](}(" + text * 40 + b"u}e."
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            listed(data)
        assert tracemalloc.get_traced_memory()[1] < 6 * LONGEST_ITEM_BYTES
    finally:
        tracemalloc.stop()


def test_the_memory_does_not_grow_with_the_items(tmp_path: Path) -> None:
    path = tmp_path / "long.pickle"
    item = dfl_pickle(row(1) | {"mask": np.zeros(20_000, np.uint8)})[11:-1]
    path.write_bytes(b"\x80\x04](" + item * 2000 + b"e.")
    size_bytes = path.stat().st_size
    assert size_bytes > 40e6
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert sum(1 for _ in list_items(file, size_bytes)) == 2000
        assert tracemalloc.get_traced_memory()[1] < 7 * LONGEST_ITEM_BYTES
    finally:
        tracemalloc.stop()
