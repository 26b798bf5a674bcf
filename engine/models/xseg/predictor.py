"""An XSeg net ready to mask faces: a model trained here, or one of DeepFaceLab's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from engine.faces.dfl_weights import read_dfl_weights
from engine.faces.face_type import FaceType
from engine.models.dfl_files.reading import read_data
from engine.models.xseg.running_mean import mean_weights
from engine.models.xseg.spec import XSEG
from engine.nets.device import prepare_device
from engine.nets.initialisation import load_weights
from engine.nets.xseg import RESOLUTION, XSeg
from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace
from engine.train.generations import Generations

F32 = NDArray[np.float32]
Warn = Callable[[str, str], None]

NET = "XSeg_256"  # as in DeepFaceLab's file names
MEAN = f"{NET}_mean"  # what masks are made with where a save has it
DFL_NET_FILE = f"{NET}.npy"
DFL_DATA_FILE = "XSeg_data.dat"
# What the net is less sure of is no face (pipeline specification 8.3).
LEAST_SURE = 0.1
# Faces that go through the net at once; it takes some 200 MB a face.
FACES_AT_ONCE = 8
_BASE_FROM = "conv01/conv/bias:0"  # has as many values as the net has base channels


@dataclass(frozen=True)
class TrainedXSeg:
    """Weights by name, and what they were trained for.

    fingerprint: what tells them from others. iteration: how far they were trained, 0 where nobody
    says. source: the model's folder or file, for people.
    """

    weights: Mapping[str, NDArray[Any]]
    face_type: FaceType
    fingerprint: str
    iteration: int
    source: str

    def net(self) -> XSeg:
        """The net with its weights. Raises `InputError` for weights of another kind of net."""
        if _BASE_FROM not in self.weights:
            raise InputError(f"{self.source} is no XSeg net", "choose another", code="bad-weights")
        net = XSeg(base_channels_of(self.weights))
        load_weights(net, self.source, self.weights)
        return net


class XSegPredictor:
    """Masks faces. Not for several threads at once.

    face_type: how much of the head its faces show. fingerprint: what tells its weights from others.
    source: the model's folder or file, for people.
    """

    def __init__(self, net: XSeg, trained: TrainedXSeg, *, is_on_gpu: bool) -> None:
        self.face_type = trained.face_type
        self.fingerprint = trained.fingerprint
        self.source = trained.source
        self.is_on_gpu = is_on_gpu
        shape = (None, RESOLUTION, RESOLUTION, 3)
        self._sure = tf.function(
            lambda faces: ops.sigmoid(net(faces))[..., 0],
            input_signature=[tf.TensorSpec(shape, tf.float32)],
            autograph=False,
        )

    def masks(self, faces_bgr: F32) -> F32:
        """What is face in (n, 256, 256, 3) float32 BGR, 0..1: (n, 256, 256) float32, 0..1; nothing
        between 0 and 0.1. Raises `ValueError` for faces of another shape."""
        if faces_bgr.ndim != 4 or faces_bgr.shape[1:] != (RESOLUTION, RESOLUTION, 3):
            raise ValueError(f"faces of shape {faces_bgr.shape}, not of {RESOLUTION} px")
        parts = [
            self._sure(tf.constant(faces_bgr[first : first + FACES_AT_ONCE], tf.float32)).numpy()
            for first in range(0, len(faces_bgr), FACES_AT_ONCE)
        ]
        sure = np.concatenate(parts) if parts else np.zeros(faces_bgr.shape[:3], np.float32)
        return np.where(sure < LEAST_SURE, np.float32(0), sure)


def load_xseg(
    workspace: Workspace,
    chosen: str = "",
    *,
    device: str = "auto",
    warn: Warn = lambda text, remedy: None,
) -> XSegPredictor:
    """An XSeg net, ready to mask faces.

    chosen: the name of a model trained or imported here; or a folder that holds DeepFaceLab's
    `XSeg_256.npy` (such as its generic model), or that file itself; "" for the model of the
    workspace that was trained last, else for the file in its folder model. device: auto, cpu or GPU
    numbers. warn: hears (text, remedy) of damaged saves that were passed over.
    Raises `InputError` (code "no-xseg") if there is none, and for damaged files.
    """
    trained = find_xseg(workspace, chosen, warn)
    on_device = prepare_device(device, warn)
    return XSegPredictor(trained.net(), trained, is_on_gpu=on_device.is_gpu)


def base_channels_of(weights: Mapping[str, NDArray[Any]]) -> int:
    """How wide the net of these weights is."""
    return len(weights[_BASE_FROM])


def find_xseg(workspace: Workspace, chosen: str, warn: Warn) -> TrainedXSeg:
    """The weights of that choice; see `load_xseg`."""
    own = workspace.model(chosen, XSEG.id) if chosen else _newest_own(workspace)
    if own is not None and Generations(own).iterations():
        return _from_saves(own, warn)
    path = Path(chosen) if chosen else workspace.models
    file = path / DFL_NET_FILE if path.is_dir() else path
    if file.is_file():
        return _from_dfl(file)
    what = f"there is no XSeg model {chosen}" if chosen else "there is no trained XSeg model"
    known = ", ".join(sorted(folder.name.rpartition("_")[0] for folder in _own(workspace)))
    raise InputError(
        f"{what} in {workspace.models}",
        "train one (xseg-train), import one (model-import), or name a folder that holds"
        f" {DFL_NET_FILE}" + (f"; models here: {known}" if known else ""),
        code="no-xseg",
    )


def _own(workspace: Workspace) -> list[Path]:
    """The folders of models trained here that have a save."""
    folders = workspace.models.glob(f"[!.]*_{XSEG.id}")
    return [folder for folder in folders if Generations(folder).iterations()]


def _newest_own(workspace: Workspace) -> Path | None:
    def saved_at(folder: Path) -> float:
        return Generations(folder).folder.stat().st_mtime

    return max(_own(workspace), key=saved_at, default=None)


def _from_saves(folder: Path, warn: Warn) -> TrainedXSeg:
    saved = Generations(folder).newest(warn, only=(NET, MEAN).__contains__)
    if saved is None or NET not in saved.state:
        raise InputError(f"nothing is saved in {folder}", "train the model first", code="no-xseg")
    return TrainedXSeg(
        mean_weights(saved.state[MEAN]) if MEAN in saved.state else saved.state[NET],
        _face_type(saved.manifest.options),
        saved.manifest.fingerprint(),
        saved.manifest.iteration,
        str(folder),
    )


def _from_dfl(file: Path) -> TrainedXSeg:
    """What lies beside the file says its face type."""
    data = file.with_name(DFL_DATA_FILE)
    told = read_data(data) if data.is_file() else None
    status, weights = file.stat(), read_dfl_weights(file)
    odd = [name for name, tensor in weights.items() if not np.isfinite(tensor).all()]
    if odd:
        raise InputError(f"{file}: {odd[0]} is no number", "use another copy", code="bad-weights")
    return TrainedXSeg(
        weights,
        _face_type(told.options if told else {}),
        f"{status.st_size} {status.st_mtime_ns}",
        told.iteration if told else 0,
        str(file),
    )


def _face_type(told: Mapping[str, Any]) -> FaceType:
    """Generic models come without one: they are for whole faces. Raises `InputError` for a text
    that is none."""
    return FaceType.from_short(str(told.get("face_type", FaceType.WHOLE_FACE.short)))
