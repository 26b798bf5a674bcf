"""The faces that XSeg learns from, with their masks: by the option `labels`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from engine.faces.face_type import FaceType
from engine.faces.faceset import Faceset
from engine.nets.device import Device
from engine.protocol.errors import InputError
from engine.protocol.needs import has_faces
from engine.protocol.stage import StageContext
from engine.stages.train.faces import (
    crop_room_bytes,
    loader_count,
    open_side,
    warn_of_narrow_faces,
)
from engine.train.batches import WHOLE, Share
from engine.train.crops import CropCache, MaskOf
from engine.train.samples import Sampling
from engine.train.self_labels import SelfLabelledFaces
from engine.train.side_faces import Face, SideFaces
from engine.train.sources import open_training_faces
from engine.train.xseg_samples import (
    JoinedFaces,
    LabelledFaces,
    MaskedFaces,
    PretrainingSamples,
    XSegSamples,
    applied_mask,
    drawn_mask,
)
from engine.train.xseg_sources import MakeSamples, XSegSources

Faces = list[Face]
MakeMasked = Callable[[Sampling, CropCache], MaskedFaces]


class MaskFaces:
    """Opens facesets, each once, and what of them is learned from
    (`engine.stages.train.faces.ModelFaces`). share: of each batch, what is made here."""

    def __init__(self, context: StageContext, share: Share = WHOLE) -> None:
        self._context = context
        self._share = share
        self._opened: dict[str, dict[str, Faceset]] = {}
        self._sources: dict[tuple[str, str], XSegSources] = {}

    def open(self, options: Mapping[str, Any]) -> dict[str, Faceset]:
        """See `ModelFaces.open`: by side, one of which may have no faces; or those for
        pretraining."""
        path = _pretraining_path(options)
        if path not in self._opened:
            self._opened[path] = self._pretraining(path) if path else self._of_workspace()
        return self._opened[path]

    def sources(
        self, options: Mapping[str, Any], wanted: FaceType, *, seed: int, device: Device
    ) -> XSegSources:
        """See `ModelFaces.sources`. Raises `InputError` where no face has such labels."""
        key = _pretraining_path(options), str(options["labels"])
        if key not in self._sources:
            facesets = self.open(options)
            for faceset in facesets.values():
                warn_of_narrow_faces(self._context, faceset, wanted)
            self._sources[key] = self._make_sources(facesets, options, seed, device)
        return self._sources[key]

    def _pretraining(self, path: str) -> dict[str, Faceset]:
        faces = open_training_faces(Path(path), self._context.check_stop)
        self._context.note(f"pretraining: {len(faces)} faces")
        return {"pretraining": faces}

    def _of_workspace(self) -> dict[str, Faceset]:
        workspace = self._context.workspace
        sides = [side for side in (workspace.src, workspace.dst) if has_faces(side)]
        if not sides:
            raise InputError("neither side has faces", "run faces-extract first", code="no-faces")
        return {side.name: open_side(self._context, side) for side in sides}

    def _make_sources(
        self,
        facesets: Mapping[str, Faceset],
        options: Mapping[str, Any],
        seed: int,
        device: Device,
    ) -> XSegSources:
        # The sample threads are the parallelism; OpenCV's own would fight them.
        cv2.setNumThreads(1)
        sides = {name: self._side(name, list(faceset)) for name, faceset in facesets.items()}
        pretrains = bool(_pretraining_path(options))
        make: MakeSamples
        if pretrains:
            make = partial(_pretraining_samples, sides["pretraining"], seed)
        else:
            masked = self._masked([face for side in sides.values() for face in side.faces], options)
            make = partial(_masked_samples, masked, seed)
        return XSegSources(
            make,
            {} if pretrains else sides,
            limit_bytes=crop_room_bytes(),
            threads=loader_count(self._context.options["loaders"], device),
            share=self._share,
        )

    def _masked(self, faces: Faces, options: Mapping[str, Any]) -> MakeMasked:
        drawn = [face for face in faces if face.data.seg_ie_polys]
        applied = [face for face in faces if face.data.xseg_mask_compressed is not None]
        choice = str(options["labels"])
        if choice == "auto":
            choice = "drawn" if drawn else "applied" if applied else "self"
        self._context.note(
            f"{len(drawn)} faces have drawn labels, {len(applied)} an applied mask; learned from:"
            f" {choice}"
        )
        match choice:
            case "drawn":
                return self._labelled(drawn, drawn_mask, "draw labels on some faces")
            case "applied":
                return self._labelled(applied, applied_mask, "apply an XSeg mask to some faces")
            case "self":
                return partial(_self_labelled, self._side("self-labelled", faces))
        by_hand = {id(face) for face in drawn}
        others = [face for face in faces if id(face) not in by_hand]
        by_themselves = partial(_self_labelled, self._side("self-labelled", others))
        if not drawn:
            return by_themselves
        if not others:
            return self._labelled(drawn, drawn_mask, "")
        return partial(_joined, [self._labelled(drawn, drawn_mask, ""), by_themselves])

    def _labelled(self, faces: Faces, mask_of: MaskOf, remedy: str) -> MakeMasked:
        if not faces:
            raise InputError(
                "no face of either side has such a mask to learn from",
                f"{remedy}, or take --labels self, which needs none",
                code="no-labels",
            )
        return partial(_by_file, self._side("labelled", faces), mask_of)

    def _side(self, name: str, faces: Faces) -> SideFaces:
        return SideFaces(name, faces, self._context.warn)


def _pretraining_path(options: Mapping[str, Any]) -> str:
    return str(options["pretrain_faces"]) if options["pretrain"] else ""


def _by_file(
    faces: SideFaces, mask_of: MaskOf, sampling: Sampling, cache: CropCache
) -> MaskedFaces:
    return LabelledFaces(faces, sampling.kind, cache, mask_of)


def _self_labelled(faces: SideFaces, sampling: Sampling, cache: CropCache) -> MaskedFaces:
    return SelfLabelledFaces(faces, sampling.kind, cache)


def _joined(parts: list[MakeMasked], sampling: Sampling, cache: CropCache) -> MaskedFaces:
    return JoinedFaces([part(sampling, cache) for part in parts])


def _masked_samples(
    masked: MakeMasked, seed: int, sampling: Sampling, cache: CropCache
) -> XSegSamples:
    return XSegSamples(masked(sampling, cache), sampling, seed=seed)


def _pretraining_samples(
    faces: SideFaces, seed: int, sampling: Sampling, cache: CropCache
) -> PretrainingSamples:
    return PretrainingSamples(faces, sampling, seed=seed, cache=cache)
