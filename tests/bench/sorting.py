"""faceset-sort by every method on 10 000 made faces, as users run it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np

from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_index import IndexWriter
from engine.protocol.face_index import index_path
from engine.protocol.workspace import Workspace
from engine.stages.faceset_sort.methods import METHODS
from tests.bench.run_cost import cost_of_run
from tests.faces.face_files import face_data

FACES = {"src": 10_000, "dst": 1_000}
SIZE_PX = 96  # a tiny face: what a method does with its measures is what is looked at
PEOPLE = 8
Row = tuple[str, float, str]


def measure() -> Iterator[Row]:
    """Rows of (what, value, unit). Each method measures the faces as on a first sort; measures that
    another method has left are not measured again."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for side, count in FACES.items():
            _make_faces(root, side, count)
        cost = cost_of_run(root, "faceset-index", "--side", "src")
        what = f"faceset-index, {FACES['src']} faces of {SIZE_PX} px, start included"
        yield what, FACES["src"] / cost.wall_s, "faces/s"
        yield f"{what}: CPU", cost.cpu_s, "CPU s"
        _give_identities(root)
        for method in METHODS:
            yield from _sort(root, f"by {method.name}", method.name, "--dry-run")
        for method in ("blur", "hist"):
            yield from _sort(root, f"by {method} again", method, "--dry-run")
        yield from _sort(root, "by brightness, with renaming", "brightness")
        cost = cost_of_run(root, "faceset-index", "--side", "src")
        yield f"faceset-index after that: {FACES['src']} other names", cost.cpu_s, "CPU s"


def _sort(root: Path, what: str, method: str, *words: str) -> Iterator[Row]:
    cost = cost_of_run(root, "faceset-sort", "--side", "src", "--method", method, *words)
    yield f"sort {FACES['src']} {what}", cost.wall_s, "s"
    yield f"sort {FACES['src']} {what}: CPU", cost.cpu_s, "CPU s"


def _make_faces(root: Path, side: str, count: int) -> None:
    folder = Workspace(root).side(side).aligned
    folder.mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(_make_face, repeat(folder), range(count), chunksize=200))


def _make_face(folder: Path, number: int) -> None:
    """A face of its own colours, turned its own way, from a frame of its own."""
    random = np.random.default_rng(number)
    coarse = (random.random((8, 8, 3)) ** random.uniform(0.5, 2) * 255).astype(np.uint8)
    image = cv2.resize(coarse, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    landmarks = face_data().landmarks * (SIZE_PX / 64) + random.normal(0, 0.3, (68, 2))
    landmarks[27:36, 0] += random.uniform(-6, 6)
    area = tuple(random.integers(1, 400, 2).tolist())
    data = face_data(
        landmarks=landmarks,
        source_filename=f"{number:05d}.png",
        source_rect=(0, 0, *area),
    )
    jpeg = encode_face_jpeg(np.asarray(image, np.uint8), 90, data)
    (folder / f"{number:05d}_0.jpg").write_bytes(jpeg)


def _give_identities(root: Path) -> None:
    """Made ones: measuring takes 0.1 s a face and core, once."""
    random = np.random.default_rng(0)
    people = random.normal(0, 0.06, (PEOPLE, 128))
    with IndexWriter(index_path(Workspace(root), "src")) as writer:
        ids = [row.id for row in writer.index.rows()]
        vectors = people[random.integers(0, PEOPLE, len(ids))]
        vectors = (vectors + random.normal(0, 0.02, vectors.shape)).astype("<f4")
        writer.add_identities(
            (id, vector.tobytes()) for id, vector in zip(ids, vectors, strict=True)
        )
