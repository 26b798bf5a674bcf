"""A `.dfm` file ready to merge with, by ONNX Runtime."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from engine.faces.face_type import FaceType
from engine.models.predictor import AUTO_FACE_TYPE, Prediction
from engine.nets.device import prepare_device
from engine.protocol.dfm_files import OUTPUT_CHANNELS, DfmHeader, read_dfm_header, unusable
from engine.protocol.errors import InputError, StageError

F32 = NDArray[np.float32]
Warn = Callable[[str, str], None]

# DeepFaceLive cuts 2.2 sides of the face's reference square unless told otherwise; the whole face
# is 2.13 of them, the full face 1.60, the head 2.98 (`FaceType.crop_side`).
USUAL_FACE_TYPE = FaceType.WHOLE_FACE
# What ONNX Runtime raises for files that it cannot use, and for nets that fail; they have no base.
_FAILURES = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
    UnicodeDecodeError,  # of a message that quotes a name which is no text
)
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERRORS_ONLY = 3  # of ONNX Runtime's log levels


class DfmPredictor:
    """Swaps faces (`engine.models.predictor.FacePredictor`). Use `load_predictor`."""

    def __init__(
        self, path: Path, header: DfmHeader, session: Any, face_type: FaceType, fingerprint: str
    ) -> None:
        self.resolution = header.resolution
        self.iteration = header.iteration
        self.face_type = face_type
        self.fingerprint = fingerprint
        self._path = path
        self._header = header
        self._session = session
        self._input_names = [value.name for value in session.get_inputs()]

    @classmethod
    def load_predictor(cls, path: Path, device: str, face_type: str, warn: Warn) -> DfmPredictor:
        """See `engine.models.predictor.load_predictor`. The net is tried out: raises `InputError`
        for a file that ONNX Runtime cannot use, or that answers anything but faces and masks."""
        header = read_dfm_header(path)
        shown = _face_type(path, header, face_type)
        predictor = cls(path, header, _session(path, device, warn), shown, _sha256(path))
        predictor._try_out()
        return predictor

    def predict(self, crops_bgr: F32, morph_factors: F32 | None = None) -> Prediction:
        """See `FacePredictor.predict`. Raises `ValueError` for crops of another shape, `StageError`
        where ONNX Runtime fails."""
        if crops_bgr.ndim != 4 or crops_bgr.shape[1:] != (self.resolution, self.resolution, 3):
            raise ValueError(f"crops of shape {crops_bgr.shape}, not of {self.resolution} px")
        count = len(crops_bgr)
        factors = np.ones(count, np.float32) if morph_factors is None else morph_factors
        shape = (count, self.resolution, self.resolution)
        mask_dst, face, mask_src = (
            np.empty((*shape, channels), np.float32) for channels in OUTPUT_CHANNELS
        )
        try:
            for numbers in self._together(factors):
                answers = self._ask(crops_bgr[numbers], factors[numbers[0]])
                mask_dst[numbers], face[numbers], mask_src[numbers] = answers
        except _FAILURES as failure:
            raise StageError(
                f"ONNX Runtime failed at {count} faces of {self._path}: {_first_line(failure)}",
                "free memory, or choose --device cpu; what is rendered is kept",
            ) from failure
        return Prediction(face, mask_src[..., 0], mask_dst[..., 0])

    def _together(self, factors: F32) -> list[NDArray[np.intp]]:
        """Which faces can be asked for at once: of one factor, unless the file takes single ones
        alone."""
        everything = np.arange(len(factors))
        if self._header.batch == 1:
            return list(everything[:, None])
        if not self._header.has_morph_factor:
            return [everything]
        return [np.flatnonzero(factors == factor) for factor in np.unique(factors)]

    def _ask(self, crops_bgr: F32, factor: np.float32) -> Sequence[F32]:
        """The three outputs in the file's order. Raises one of `_FAILURES`."""
        given = [np.ascontiguousarray(crops_bgr, np.float32), np.full(1, factor, np.float32)]
        feed = dict(zip(self._input_names, given, strict=False))
        answers: Sequence[F32] = self._session.run(None, feed)
        return answers

    def _try_out(self) -> None:
        """Raises `InputError` where two grey faces (one, if it takes single ones) get no answer, or
        one of another shape."""
        count, side = self._header.batch or 2, self.resolution
        grey = np.full((count, side, side, 3), 0.5, np.float32)
        try:
            answers = self._ask(grey, np.float32(1))
        except _FAILURES as failure:
            raise unusable(self._path, f"its net fails: {_first_line(failure)}") from failure
        for answer, channels in zip(answers, OUTPUT_CHANNELS, strict=True):
            wanted = (count, side, side, channels)
            if answer.shape != wanted or answer.dtype != np.float32:
                what = f"{answer.dtype} {answer.shape}"
                raise unusable(self._path, f"its net answers {what} where {wanted} belongs")
            if not np.isfinite(answer).all():
                raise unusable(self._path, "its net answers what is no number")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from error


def _face_type(path: Path, header: DfmHeader, given: str) -> FaceType:
    """The one that was asked for; else what the file notes; else what is usual."""
    if given != AUTO_FACE_TYPE:
        return FaceType.from_short(given)
    noted = header.face_type
    for face_type in FaceType:
        if noted and noted in (face_type.short, face_type.dfl_name):
            return face_type
    if noted:
        raise InputError(
            f"{path} is for faces of the unknown type {noted[:40]!r}",
            "say which it shows, with --face-type",
            code="face-type",
        )
    return USUAL_FACE_TYPE


def _session(path: Path, device: str, warn: Warn) -> Any:
    providers = _providers(device, warn)
    try:
        # Its own way of falling back prints, and tries damaged files twice.
        session = ort.InferenceSession(
            path, _session_options(), providers=providers, enable_fallback=0
        )
    except _FAILURES as failure:
        reason = f"ONNX Runtime refuses it: {_first_line(failure)}"
        raise unusable(path, reason) from failure
    if len(providers) > 1 and _CUDA not in session.get_providers():
        warn(
            "the GPU could not be used by ONNX Runtime: the model runs on the CPU",
            "`facewright log` tells what CUDA library it did not find",
        )
    return session


def _session_options() -> Any:
    options = ort.SessionOptions()
    # As many threads as the other nets have, which sleep while merging's own threads work.
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    return options


def _providers(device: str, warn: Warn) -> list[Any]:
    """Where to compute, best first. Raises `InputError` for a GPU that is not there."""
    if not prepare_device(device, warn).is_gpu:
        return [_CPU]
    if _CUDA not in ort.get_available_providers():
        warn(
            "the model runs on the CPU: the ONNX Runtime that is installed uses no GPU",
            "install onnxruntime-gpu in place of onnxruntime",
        )
        return [_CPU]
    number = "0" if device == "auto" else device.split(",")[0]
    # Batches differ in size, and an exhaustive search for the best kernels begins anew with each.
    settings = {"device_id": number, "cudnn_conv_algo_search": "HEURISTIC"}
    return [(_CUDA, settings), _CPU]


def _first_line(failure: BaseException) -> str:
    return (str(failure).strip().splitlines() or ["no reason given"])[0]
