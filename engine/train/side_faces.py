"""The faces of one side: those that turn out to be unusable are passed over, and told of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_data import FaceData
from engine.faces.head_fit import fit_heads
from engine.protocol.errors import InputError

Made = TypeVar("Made")
_NAMED_AT_MOST = 20  # unusable faces of a side that are warned of one by one


class Face(Protocol):
    """A face of a faceset."""

    @property
    def name(self) -> str: ...

    @property
    def data(self) -> FaceData: ...

    def read_jpeg(self) -> bytes: ...


class SideFaces:
    """The faces of a side, "src" or "dst". Thread-safe.

    warn: is told (what, remedy) of each face that is skipped, from the thread that met it.
    """

    def __init__(self, side: str, faces: Sequence[Face], warn: Callable[[str, str], None]) -> None:
        self.side = side
        self.faces = faces
        self._warn = warn
        self._unusable: dict[int, str] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def unusable(self) -> dict[str, str]:
        """Faces that were skipped: name and reason."""
        with self._lock:
            return {self.faces[i].name: reason for i, reason in self._unusable.items()}

    @cached_property
    def yaws_rad(self) -> NDArray[np.float64]:
        """How far each head is turned sideways, (n,): by the landmarks' affine fit; 0 where they
        fit no head."""
        heads = fit_heads(np.stack([face.data.landmarks for face in self.faces]))
        return np.where(np.isfinite(heads.misfit), heads.yaw_rad, 0.0)

    def use(self, number: int, make: Callable[[Face], Made]) -> Made:
        """What `make` makes of face `number`, or of the next usable one if it raises `InputError`.

        A face that failed once is not tried again. Raises `InputError` if none can be used.
        """
        for step in range(len(self.faces)):
            index = (number + step) % len(self.faces)
            if index in self._unusable:
                continue
            try:
                return make(self.faces[index])
            except InputError as error:
                self._skip(index, error)
        raise InputError(
            f"none of the {len(self.faces)} {self.side} faces can be used",
            f"extract the {self.side} faces again; the last reason: {self._last_reason()}",
            code="no-faces",
        )

    def _skip(self, index: int, error: InputError) -> None:
        with self._lock:
            if index in self._unusable:
                return
            self._unusable[index] = error.message
            known = len(self._unusable)
        if known == _NAMED_AT_MOST + 1:
            self._warn(f"more {self.side} faces are skipped, from here on without a word each", "")
        if known > _NAMED_AT_MOST:
            return
        self._warn(f"{self.side} face skipped: {error.message}", error.remedy)

    def _last_reason(self) -> str:
        return next(reversed(self._unusable.values()))
