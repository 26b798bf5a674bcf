"""Every other file that comes from elsewhere, damaged in every way: read or refused, in little
memory. (Face files, their pickles and packs have their own such tests.)"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.faces.applied_mask import bytes_from_mask, mask_from_bytes
from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.dfl_weights import read_dfl_weights
from engine.faces.face_data import dict_from_data
from engine.faces.face_index import IndexWriter, read_files
from engine.faces.faceset_pack import read_pack_list
from engine.faces.metadata_file import SavedFace, read_metadata, write_metadata
from engine.faces.png_face import png_face_data
from engine.faces.sorting.moves import Move, MovePlan, read_plan, start_plan
from engine.faces.sorting.score_cache import open_score_cache
from engine.protocol.errors import InputError
from engine.protocol.face_index import opened_index
from engine.protocol.history import SCHEMA, pack_losses, read_history, read_marks
from engine.protocol.loss_columns import read_loss_columns
from engine.protocol.workspace import Workspace
from tests.faces.face_files import face_data, labels, pack, png_with
from tests.faces.fuzzing import mutated, survives_in_little_memory
from tests.faces.made_facesets import make_faces
from tests.faces.test_restricted_pickle import hostile_values
from tests.stages.killing import folder_in_memory

Read = Callable[[Path], object]
_MORE_BYTES = 1 << 27


def saved_metadata(folder: Path) -> list[bytes]:
    face = SavedFace((64, 64), face_data(seg_ie_polys=labels()))
    write_metadata(folder, [("a.jpg", face), ("b.jpg", face)])
    written = (folder / "meta.dat").read_bytes()
    entries = {name: ((64, 64, 3), dict_from_data(face.data)) for name in ("a.jpg", "b.jpg")}
    hostile = [{"a.jpg": ((64, 64, 3), value)} for value in hostile_values(Path("x")).values()]
    theirs = [pickle.dumps(entries, protocol) for protocol in range(2, 6)]
    return [written, *theirs, *map(pickle.dumps, hostile)]


def png_faces(folder: Path) -> list[bytes]:
    return [png_with(dfl_pickle(dict_from_data(face_data()))), png_with(dfl_pickle({}))]


def weights(folder: Path) -> list[bytes]:
    tensors = {f"conv{n}/weight:0": np.ones((3, n), np.float32) for n in range(5)}
    halves = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    return [*(pickle.dumps(tensors, protocol) for protocol in range(2, 6)), pickle.dumps(halves)]


def applied_masks(folder: Path) -> list[bytes]:
    soft = cv2.GaussianBlur(np.eye(64, dtype=np.float32), (0, 0), 5)
    jpeg = cv2.imencode(".jpg", (soft * 255).astype(np.uint8))[1].tobytes()
    return [bytes_from_mask(soft), jpeg]


def plans_of_moves(folder: Path) -> list[bytes]:
    moves = tuple(Move(f"a/{n}.jpg", f"a/parked-{n}.jpg", f"b/{n}.jpg") for n in range(3))
    start_plan(folder, folder / "plan.json", MovePlan("sort by hue", moves, {"trash": "b"}))
    return [(folder / "plan.json").read_bytes()]


def indexes(folder: Path) -> list[bytes]:
    workspace = Workspace(folder)
    make_faces(workspace.dst, 3)
    with IndexWriter(folder / "index.sqlite") as writer:
        writer.add(read_files(writer.files_to_read(workspace.dst)))
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
    return [(folder / "index.sqlite").read_bytes()]


def read_index(path: Path) -> None:
    with opened_index(path) as index:
        if index is None:
            return
        found = index.rows(order_by="sharpness"), index.skipped(), index.known_files()
        for row in found[0]:
            index.details(row.id)
        index.pack_state()


def read_scores(path: Path) -> None:
    with open_score_cache(path) as cache:
        for name in ("sharpness", "source_name"):
            cache.read(name)


def histories(folder: Path) -> list[bytes]:
    with sqlite3.connect(folder / "history.sqlite") as connection:
        connection.executescript(SCHEMA)
        rows = [(n, 1.0, 2.0, pack_losses((0.5, 0.25))) for n in range(9)]
        connection.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
        connection.execute("INSERT INTO marks VALUES (3, 1.0, 'gap', 'text')")
    return [(folder / "history.sqlite").read_bytes()]


def read_everything_of_history(path: Path) -> None:
    read_history(path)
    read_marks(path)
    read_loss_columns(path, 2)


READERS: dict[str, tuple[Callable[[Path], list[bytes]], Read]] = {
    "meta.dat": (saved_metadata, read_metadata),
    "faces of 1.0": (png_faces, lambda path: png_face_data(path.read_bytes())),
    "weights": (weights, read_dfl_weights),
    "applied masks": (applied_masks, lambda path: mask_from_bytes(path.read_bytes())),
    "plans of moves": (plans_of_moves, read_plan),
    "indexes": (indexes, read_index),
    "scores": (indexes, read_scores),
    "histories": (histories, read_everything_of_history),
}


def read_mutated(kind: str, folder: Path, count: int, seed: int) -> None:
    """Read `count` mutated files of that kind: only `InputError` comes."""
    make, read = READERS[kind]
    (folder / "made").mkdir()
    good = make(folder / "made")
    random, path = np.random.default_rng(seed), folder / "mutated"
    for number in range(count):
        path.write_bytes(mutated(good[number % len(good)], random))
        try:
            read(path)
        except InputError:
            continue


@pytest.mark.parametrize("kind", READERS)
def test_mutated_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    with folder_in_memory(tmp_path) as folder:
        read_mutated(kind, folder, 100, seed=11)


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
def test_five_thousand_mutated_files_are_read_or_refused_in_little_memory(
    kind: str, tmp_path: Path
) -> None:
    with folder_in_memory(tmp_path) as folder:
        read = partial(read_mutated, kind, folder, 5000, seed=12)
        assert survives_in_little_memory(read, _MORE_BYTES)


def test_no_name_in_a_pack_leads_out_of_the_faceset(tmp_path: Path) -> None:
    random, path = np.random.default_rng(13), tmp_path / "faceset.pak"
    signs = [*"ab./\\\0: \n", "..", "\u2215", "\ud800", "\u202e", "x" * 300]
    accepted = 0
    for _ in range(1500):
        name, person = ("".join(random.choice(signs, random.integers(0, 4))) for _ in range(2))
        row = {"filename": name, "person_name": person}
        path.write_bytes(pack([row], [b"x"], absolute_end=False))
        try:
            (face,) = read_pack_list(path)
        except InputError:
            continue
        accepted += 1
        place = tmp_path / "aligned" / (face.person_name or "") / face.name
        assert place.parent.parent == tmp_path / "aligned"
        assert not {".", ".."} & {*place.parts}
        assert len(face.name) <= 255
    assert accepted > 50
