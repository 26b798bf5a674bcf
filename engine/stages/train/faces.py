"""The faces that a model trains on: those of the workspace, or those for pretraining."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2

from engine.faces.face_type import FaceType
from engine.faces.faceset import Faceset, open_faceset
from engine.nets.device import Device
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side
from engine.train.batches import WHOLE, Share
from engine.train.feed import Opener
from engine.train.memory_room import available_bytes
from engine.train.sources import Sources, open_training_faces

# Crops are kept in at most this share of the memory that is free at the start, and this many bytes.
CACHE_SHARE = 0.25
LARGEST_CACHE_BYTES = 8 << 30
MOST_AUTO_LOADERS = 8


class ModelFaces(Protocol):
    """What a class of models learns from. Both raise `InputError` where there is nothing usable."""

    def open(self, options: Mapping[str, Any]) -> Any:
        """Open the faces that a model of these options needs."""
        ...

    def sources(
        self, options: Mapping[str, Any], wanted: FaceType, *, seed: int, device: Device
    ) -> Opener:
        """What streams of samples are opened from; the same for the same faces."""
        ...


MakeFaces = Callable[[StageContext, Share], ModelFaces]


class _Key(NamedTuple):
    """What tells the faces of one model from those of another. pretrain_faces: the path of faces
    for both sides, "" for those of the workspace. src_src: src's are on both."""

    pretrain_faces: str
    src_src: bool


class TrainingFaces:
    """Opens facesets, each once. A model that pretrains, or learns src alone for a while, has the
    same faces on both sides.

    share: of each batch, what is made here."""

    def __init__(self, context: StageContext, share: Share = WHOLE) -> None:
        self._context = context
        self._share = share
        self._pairs: dict[_Key, tuple[Faceset, Faceset]] = {}
        self._sources: dict[_Key, Sources] = {}

    def open(self, options: Mapping[str, Any]) -> tuple[Faceset, Faceset]:
        """The src and dst faces for a model of these options. Raises `InputError` if there are none
        that can be used."""
        key = _key(options)
        if key not in self._pairs:
            self._pairs[key] = self._open_pair(key)
        return self._pairs[key]

    def sources(
        self, options: Mapping[str, Any], wanted: FaceType, *, seed: int, device: Device
    ) -> Sources:
        """What streams of samples of these faces are opened from; the same for the same faces.
        Warns of faces that show less than is wanted. Raises `InputError` as `open` does."""
        key = _key(options)
        if key not in self._sources:
            src, dst = self.open(options)
            for faceset in (src,) if src is dst else (src, dst):
                warn_of_narrow_faces(self._context, faceset, wanted)
            self._sources[key] = self._make_sources(src, dst, seed, device)
        return self._sources[key]

    def _open_pair(self, key: _Key) -> tuple[Faceset, Faceset]:
        workspace = self._context.workspace
        if key.pretrain_faces:
            faces = open_training_faces(Path(key.pretrain_faces), self._context.check_stop)
            self._context.note(f"pretraining: {len(faces)} faces")
            return faces, faces
        src = open_side(self._context, workspace.src)
        return src, src if key.src_src else open_side(self._context, workspace.dst)

    def _make_sources(self, src: Faceset, dst: Faceset, seed: int, device: Device) -> Sources:
        # The sample threads are the parallelism; OpenCV's own would fight them.
        cv2.setNumThreads(1)
        return Sources(
            src,
            dst,
            seed=seed,
            limit_bytes=crop_room_bytes(),
            warn=self._context.warn,
            threads=loader_count(self._context.options["loaders"], device),
            share=self._share,
        )


def open_side(context: StageContext, side: Side) -> Faceset:
    """The side's faceset, with a warning for pictures that are no faces. Raises `InputError` if
    none is one."""
    faceset = open_faceset(side.aligned, context.check_stop)
    if faceset.skipped:
        name, reason = faceset.skipped[0]
        context.warn(
            f"{len(faceset.skipped)} pictures in {side.aligned} are no usable faces,"
            f" for example {name}: {reason}",
            "extract them again or take them out of the folder",
        )
    if not len(faceset):
        raise InputError(
            f"no usable faces in {side.aligned}",
            f"run faces-extract --side {side.name} first",
            code="no-faces",
        )
    context.note(f"{side.name}: {len(faceset)} faces")
    return faceset


def warn_of_narrow_faces(context: StageContext, faceset: Faceset, wanted: FaceType) -> None:
    """Warn of faces that show less than the model learns: their edges are smeared to fill its
    square."""
    narrow = [face for face in faceset if not face.data.face_type.contains(wanted)]
    if narrow:
        context.warn(
            f"{len(narrow)} of {len(faceset)} faces in {faceset.folder} show less than the"
            f" model's {wanted.dfl_name}, for example {narrow[0].name}"
            f" ({narrow[0].data.face_type.dfl_name})",
            f"extract them again with --face-type {wanted.short} or wider",
        )


def crop_room_bytes() -> int:
    """How much memory crops may be kept in."""
    return min(int(available_bytes() * CACHE_SHARE), LARGEST_CACHE_BYTES)


def _key(options: Mapping[str, Any]) -> _Key:
    path = str(options["pretrain_faces"]) if options.get("pretrain") else ""
    return _Key(path, bool(options.get("src_src")))


def loader_count(loaders: str, device: Device) -> int:
    """How many threads make samples, by the option `loaders`: without a GPU the step itself wants
    the cores, and takes long."""
    if loaders != "auto":
        return int(loaders)
    cores = len(os.sched_getaffinity(0))
    wanted = cores - 1 if device.is_gpu else cores // 2
    return max(1, min(wanted, MOST_AUTO_LOADERS))
