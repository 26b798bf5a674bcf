"""Facesets: indexing made faces; opening and comparing an index of 100 000 generated ones."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.coverage import find_holes, looks_of
from engine.faces.duplicates import find_duplicates
from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType
from engine.protocol.face_index import opened_index
from engine.protocol.workspace import Workspace
from tests.bench.run_cost import cost_of_run
from tests.faces.face_files import face_data
from tests.faces.landmarks import front_face
from tests.faces.made_facesets import generated_index

FACES, MANY = 1000, 100_000
SIZES_PX = (256, 512)
CHANGED = FACES // 100


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        for size_px in SIZES_PX:
            yield from _indexing(Path(folder) / str(size_px), size_px)
        yield from _opening(Path(folder))
    yield from _comparing()


def _indexing(root: Path, size_px: int) -> Iterator[tuple[str, float, str]]:
    side = Workspace(root).dst
    side.aligned.mkdir(parents=True)
    matrix = face_from_frame(front_face(), size_px, FaceType.WHOLE_FACE)
    data = face_data(landmarks=transform_points(front_face(), matrix), image_to_face_mat=matrix)
    random = np.random.default_rng(0)
    for number in range(FACES):
        small = random.integers(0, 255, (64, 64, 3)).astype(np.uint8)
        image = cv2.resize(small, (size_px, size_px))
        jpeg = encode_face_jpeg(np.asarray(image, np.uint8), 90, data)
        (side.aligned / f"{number:05d}_0.jpg").write_bytes(jpeg)
    cost = cost_of_run(root, "faceset-index")
    what = f"faceset-index, {FACES} faces of {size_px} px, start included"
    yield what, FACES / cost.wall_s, "faces/s"
    yield f"{what}: CPU", 1000 * cost.cpu_s / FACES, "CPU ms a face"
    again = cost_of_run(root, "faceset-index")
    yield "faceset-index again, nothing changed", again.wall_s, "s"
    for number in range(CHANGED):
        os.utime(side.aligned / f"{number:05d}_0.jpg")
    yield f"faceset-index, {CHANGED} changed", cost_of_run(root, "faceset-index").wall_s, "s"


def _opening(folder: Path) -> Iterator[tuple[str, float, str]]:
    path, side = folder / "many.sqlite", Workspace(folder).src
    generated_index(path, MANY)
    side.aligned.mkdir(parents=True)
    for number in range(MANY):
        (side.aligned / f"{number:06d}_0.jpg").touch()

    def read(**arguments: object) -> Callable[[], object]:
        def work() -> None:
            with opened_index(path) as index:
                assert index is not None
                index.rows(**arguments)  # type: ignore[arg-type]

        return work

    yield f"open an index of {MANY}, first page", _ms(read(limit=100)), "ms"
    yield f"open an index of {MANY}, all rows by name", _ms(read()), "ms"
    by_yaw = read(ranges={"yaw": (0.3, 0.6), "pitch": (-0.2, 0.2)}, order_by="sharpness")
    yield f"open an index of {MANY}, by pose and sharpness", _ms(by_yaw), "ms"
    with opened_index(path) as index:
        assert index is not None
        yield f"notice changes among {MANY} files", _ms(lambda: index.changes(side)), "ms"


def _comparing() -> Iterator[tuple[str, float, str]]:
    random = np.random.default_rng(0)
    hashes = random.integers(-(2**63), 2**63, MANY // 5)
    thumbs = random.integers(0, 255, (MANY // 5, 24, 24)).astype(np.uint8)
    sharpness = random.random(MANY // 5)
    duplicates = _ms(lambda: find_duplicates(hashes, thumbs, sharpness))
    yield f"duplicates among {MANY // 5} different faces", duplicates / 1000, "s"
    sides = [
        looks_of(*np.abs(random.normal(0, 0.3, (4, MANY))), 1 + random.normal(0, 0.2, MANY))
        for _ in range(2)
    ]
    holes = _ms(lambda: find_holes(*sides))
    yield f"coverage of {MANY} dst by {MANY} src faces", holes / 1000, "s"


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
