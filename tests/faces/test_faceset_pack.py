"""Packs that are damaged in every way: read or refused, in little memory."""

from __future__ import annotations

import pickle
import struct
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.faces.face_file import encode_face_jpeg
from engine.faces.faceset_pack import read_pack_list
from engine.protocol.errors import InputError, Stopped
from tests.faces.face_files import face_data, labels, pack, picture
from tests.faces.fuzzing import mutated, survives_in_little_memory
from tests.faces.test_restricted_pickle import hostile_values
from tests.stages.killing import folder_in_memory

_MORE_BYTES = 1 << 28  # a reader takes 64 MB to read any one face file, and windows of the list


def face(seed: int) -> bytes:
    return encode_face_jpeg(picture(seed=seed), 40, face_data(seg_ie_polys=labels()))


def row(name: str, **fields: Any) -> dict[str, Any]:
    points = [[0.5, 1.5]] * 3
    return {"filename": name, "person_name": "ann", "landmarks": points, "face_type": 4} | fields


def pack_of(listing: bytes, files: list[bytes]) -> bytes:
    """A pack whose list is this pickle."""
    ends = np.cumsum([0, *map(len, files)]).tolist()
    table = struct.pack(f"<{len(ends)}Q", *ends)
    return struct.pack("<QQ", 1, len(listing)) + listing + table + b"".join(files)


def seeds() -> list[bytes]:
    """Packs as we write them, as Python pickles them in each protocol, and hostile ones."""
    rows, files = [row("a.jpg"), row("b.jpg", mask=np.zeros(9, np.uint8))], [face(1), face(2)]
    hostile = [row("a.jpg", x=value) for value in hostile_values(Path("x")).values()]
    return [
        pack([row("a.jpg"), row("b.jpg")], files, absolute_end=True),
        *(pack_of(pickle.dumps(rows, protocol), files) for protocol in range(6)),
        *(pack_of(pickle.dumps([one]), files[:1]) for one in hostile),
        pack_of(pickle.dumps([]), []),
    ]


def fuzz_packs(folder: Path, count: int, seed: int) -> None:
    """Read `count` mutated packs, list and faces: only `InputError` comes."""
    random = np.random.default_rng(seed)
    path, good = folder / "faceset.pak", seeds()
    for number in range(count):
        data = good[number % len(good)]
        # Every second time all changes are in what comes before the faces.
        head_bytes = len(data) if number % 2 else 16 + struct.unpack_from("<Q", data, 8)[0] + 24
        path.write_bytes(mutated(data[:head_bytes], random) + data[head_bytes:])
        try:
            faces = read_pack_list(path)
        except InputError:
            continue
        for packed in faces:
            read_or_refused(packed)


def read_or_refused(packed: Any) -> None:
    try:
        packed.read_data()
    except InputError:
        return


def test_mutated_packs_are_read_or_refused(tmp_path: Path) -> None:
    fuzz_packs(tmp_path, 500, seed=7)


@pytest.mark.slow
def test_forty_thousand_mutated_packs_are_read_or_refused_in_little_memory(tmp_path: Path) -> None:
    with folder_in_memory(tmp_path) as folder:
        fuzz = partial(fuzz_packs, folder, 40_000, seed=8)
        assert survives_in_little_memory(fuzz, _MORE_BYTES)


def test_the_memory_that_a_mutated_pack_takes_is_little(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        fuzz_packs(tmp_path, 200, seed=9)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


def test_a_pack_that_was_copied_in_part_says_so_and_from_which_face_on(tmp_path: Path) -> None:
    path = tmp_path / "faceset.pak"
    whole = pack([row("a.jpg"), row("b.jpg")], [b"first", b"second"], absolute_end=True)
    path.write_bytes(whole[: -len(b"second")])
    with pytest.raises(InputError, match=r"cut short: b\.jpg lies at byte \d+") as refusal:
        read_pack_list(path)
    assert "copy it here again" in refusal.value.remedy


def test_reading_a_long_list_obeys_a_stop(tmp_path: Path) -> None:
    path = tmp_path / "faceset.pak"
    rows = [row(f"{number}.jpg") for number in range(3000)]
    path.write_bytes(pack(rows, [b"x"] * len(rows), absolute_end=False))
    asked = 0

    def check_stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 20:
            raise Stopped

    with pytest.raises(Stopped):
        read_pack_list(path, check_stop)
    assert asked == 20
