"""Predictions kept on disk, so that a frame that memory forgot asks no net again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.predictor import FacePredictor, Prediction
from engine.stages.merge_session.record_file import RecordFile

Floats = NDArray[np.float32]


class KeptPredictions:
    """A predictor that asks another one only for faces whose predictions are not kept. For several
    threads at once if that one is.

    folder: where the file lies. limit_bytes: how large it may become.
    """

    def __init__(self, predictor: FacePredictor, folder: Path, limit_bytes: int) -> None:
        self._predictor = predictor
        side = predictor.resolution
        self._pixels = side * side
        channels = 5  # a face's colours and two masks
        record_bytes = channels * self._pixels * np.dtype(np.float32).itemsize
        self._records = RecordFile(folder, record_bytes, limit_bytes)

    def close(self) -> None:
        """Give the disk back. Nothing is kept from now on."""
        self._records.close()

    @property
    def resolution(self) -> int:
        return self._predictor.resolution

    @property
    def face_type(self) -> FaceType:
        return self._predictor.face_type

    @property
    def iteration(self) -> int:
        return self._predictor.iteration

    @property
    def fingerprint(self) -> str:
        return self._predictor.fingerprint

    def predict(self, crops_bgr: Floats, morph_factors: Floats | None = None) -> Prediction:
        """See `FacePredictor.predict`."""
        keys = [
            self._key(crop, None if morph_factors is None else morph_factors[number])
            for number, crop in enumerate(crops_bgr)
        ]
        records = {number: self._records.get(key) for number, key in enumerate(keys)}
        missing = [number for number, record in records.items() if record is None]
        if missing:
            factors = None if morph_factors is None else morph_factors[missing]
            predicted = self._predictor.predict(crops_bgr[missing], factors)
            for number, record in zip(missing, _records(predicted), strict=True):
                self._records.put(keys[number], record)
                records[number] = record
        return self._prediction([record for record in records.values() if record is not None])

    def _key(self, crop_bgr: Floats, morph_factor: np.float32 | None) -> bytes:
        facts = f"{self.fingerprint} {morph_factor} {crop_bgr.shape}".encode()
        key = hashlib.blake2b(facts, digest_size=32)
        key.update(np.ascontiguousarray(crop_bgr).data)
        return key.digest()

    def _prediction(self, records: list[bytes]) -> Prediction:
        values = np.stack([np.frombuffer(record, np.float32) for record in records])
        count, side = len(records), self.resolution
        faces, masks_src, masks_dst = np.split(values, [3 * self._pixels, 4 * self._pixels], axis=1)
        return Prediction(
            faces.reshape(count, side, side, 3),
            masks_src.reshape(count, side, side),
            masks_dst.reshape(count, side, side),
        )


def _records(predicted: Prediction) -> list[bytes]:
    return [
        b"".join(np.ascontiguousarray(part, np.float32).tobytes() for part in parts)
        for parts in zip(predicted.face_bgr, predicted.mask_src, predicted.mask_dst, strict=True)
    ]
