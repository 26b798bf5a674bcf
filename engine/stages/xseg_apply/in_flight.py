"""Faces on their way through the net: some are opened, and some written, while it looks at others.

On a GPU the net needs no longer for a face than reading and writing its file takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_file import read_face, read_face_data, read_jpeg, replace_face_data
from engine.faces.face_type import FaceType
from engine.media.images import decode_face_bgr_u8
from engine.models.xseg.masking import MaskCrop, mask_crop
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically

PORTIONS_AHEAD = 2
LEAST_FACE = 0.5  # of what the net says; masks are stored as 0 and 1


@dataclass(frozen=True, eq=False)
class Opened:
    """A face file as the net is to see it."""

    path: Path
    crop: MaskCrop


@dataclass(frozen=True)
class Unusable:
    """A file that is left as it is, and why."""

    path: Path
    error: InputError


Written = Callable[[list[Path], int, list[Unusable]], None]


def opened_ahead(
    pool: ThreadPoolExecutor, portions: Iterable[Sequence[Path]], face_type: FaceType | None
) -> Generator[list[Opened | Unusable]]:
    """The files of each portion, in order, opened before they are asked for. Close it to stop
    early."""
    ahead: deque[list[Future[Opened | Unusable]]] = deque()
    try:
        for portion in portions:
            ahead.append([pool.submit(_open, path, face_type) for path in portion])
            if len(ahead) > PORTIONS_AHEAD:
                yield [opening.result() for opening in ahead.popleft()]
        while ahead:
            yield [opening.result() for opening in ahead.popleft()]
    finally:
        for openings in ahead:
            for opening in openings:
                opening.cancel()


class Writing:
    """Writes a portion's masks while the next one is looked at. `written` hears of each portion
    that is in its files, in the calling thread: the paths, how many masks are empty, and which
    files had no room for theirs. Leaving the block waits for the last one. Raises `InputError` when
    the disk is full."""

    def __init__(self, pool: ThreadPoolExecutor, written: Written) -> None:
        self._pool = pool
        self._written = written
        self._paths: list[Path] = []
        self._under_way: list[Future[bool | Unusable]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._finish()

    def put(self, faces: Sequence[Opened], sure: NDArray[np.float32]) -> None:
        """Have these written. sure: what the net says of each, (n, 256, 256), 0..1."""
        self._finish()
        self._paths = [face.path for face in faces]
        self._under_way = [
            self._pool.submit(_write, face, of_face)
            for face, of_face in zip(faces, sure, strict=True)
        ]

    def _finish(self) -> None:
        paths, under_way = self._paths, self._under_way
        self._paths, self._under_way = [], []
        outcomes = [writing.result() for writing in under_way]
        unusable = [outcome for outcome in outcomes if isinstance(outcome, Unusable)]
        left = {one.path for one in unusable}
        if paths:
            masked = [path for path in paths if path not in left]
            self._written(masked, outcomes.count(True), unusable)


def _open(path: Path, face_type: FaceType | None) -> Opened | Unusable:
    try:
        jpeg_bytes, data, _ = read_face(path)
        return Opened(path, mask_crop(decode_face_bgr_u8(jpeg_bytes, path), data, face_type))
    except InputError as error:
        return Unusable(path, error)


def _write(face: Opened, sure: NDArray[np.float32]) -> bool | Unusable:
    """Into what the file holds now: somebody may have drawn on it meanwhile. Returns whether the
    mask is empty; of a file that has no room for it, that."""
    mask = (face.crop.onto_face(sure) >= LEAST_FACE).astype(np.float32)
    jpeg_bytes = read_jpeg(face.path)
    data = read_face_data(jpeg_bytes)
    if data is None:
        raise InputError(f"{face.path} lost its metadata meanwhile", "extract this face again")
    changed = replace(data, xseg_mask_compressed=bytes_from_mask(mask))
    try:
        rewritten = replace_face_data(jpeg_bytes, changed)
    except InputError as error:
        return Unusable(face.path, error)
    write_atomically(face.path, rewritten, durable=False)
    return not mask.any()
