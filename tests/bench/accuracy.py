"""How many faces each detector finds, and how far the landmarks in its boxes are off: a table.

On the reference stills, which lie beside a developer's checkout. Detectors and landmarkers of the
user's weights take part where the weights are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.detect.boxes import overlaps
from engine.detect.detection import Detection, FaceDetector, Landmarker
from engine.detect.landmarks68 import Landmarker68
from engine.protocol.errors import InputError
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace
from engine.stages.faces_extract.detectors import (
    Weights,
    detector_of,
    face_search,
    landmarker_of,
    read_weights,
)
from engine.stages.faces_extract.plan import cut_settings
from engine.stages.faces_extract.records import CutSettings
from engine.stages.faces_extract.spec import FACES_EXTRACT
from tests.support.shared import SHARED

STILLS = SHARED / "media" / "stills"
MIN_OVERLAP = 0.3
INNER = slice(17, 68)  # the jaw is annotated in two ways
CHAINS: tuple[tuple[str, dict[str, str]], ...] = (
    ("mtcnn + dlib68", {}),
    ("dlib-hog + dlib68", {"detector": "dlib-hog"}),
    ("dlib-cnn + dlib68", {"detector": "dlib-cnn"}),
    ("dlib-cnn, enlarged once, + dlib68", {"detector": "dlib-cnn", "cnn_upsample": "1"}),
    ("s3fd + dlib68", {"detector": "s3fd"}),
    ("s3fd + 2dfan", {"detector": "s3fd", "landmarks": "2dfan"}),
    ("s3fd + 3dfan", {"detector": "s3fd", "landmarks": "3dfan"}),
    ("mtcnn + 2dfan", {"landmarks": "2dfan"}),
)
HEADER = (
    "| detector and landmarks | drawn boxes found | too many | annotated found"
    " | error, yaw < 30 | yaw 30-60 | yaw > 60 | not AFLW | s, 640x360 |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass
class _Score:
    boxes: int = 0
    found: int = 0
    false: int = 0
    stills: int = 0
    errors: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    @property
    def annotated_found(self) -> int:
        return sum(len(errors) for errors in self.errors.values())


def measure() -> Iterator[str]:
    """The table as Markdown, line by line."""
    if not STILLS.is_dir():
        yield "accuracy: the reference stills are not beside this checkout\n"
        return
    yield HEADER
    for name, given in CHAINS:
        settings = cut_settings(complete_values(FACES_EXTRACT.options, given))
        try:
            weights = read_weights(settings, "", Workspace(Path()))
        except InputError:
            yield f"| {name} | its weights are not there |{' |' * 7}\n"
            continue
        yield _row(name, _scored(settings, weights))


def _scored(settings: CutSettings, weights: Weights) -> _Score:
    detector = detector_of(settings.find, weights)
    landmarker = landmarker_of(settings, weights, detector) or Landmarker68()
    search: FaceDetector = face_search(detector, settings.find)
    score = _Score()
    for name, faces in json.loads((STILLS / "face_boxes.json").read_text())["images"].items():
        _count_boxes(score, search, _picture(name), [face["box"] for face in faces])
    for facts in json.loads((STILLS / "landmarks68.json").read_text())["stills"]:
        _count_landmarks(score, search, landmarker, facts)
    return score


def _count_boxes(
    score: _Score, search: FaceDetector, image: np.ndarray, boxes: list[list[float]]
) -> None:
    faces = _found(score, search, image)
    score.boxes += len(boxes)
    if not faces:
        return
    shared = overlaps(np.array(boxes, float), np.array([face.box_ltrb for face in faces]))
    score.found += int((shared.max(axis=1) > MIN_OVERLAP).sum())
    score.false += int((shared.max(axis=0) <= MIN_OVERLAP).sum())


def _count_landmarks(
    score: _Score, search: FaceDetector, landmarker: Landmarker, facts: dict[str, Any]
) -> None:
    image, truth = _picture(facts["file"]), np.array(facts["landmarks"], float)
    box = np.array([facts["face_box"]], float)
    score.stills += 1
    for face in _found(score, search, image):
        if overlaps(np.array([face.box_ltrb]), box)[0, 0] <= MIN_OVERLAP:
            continue
        placed = landmarker.landmarks(image, face)
        if placed is not None:
            size_px = float(np.sqrt(np.prod(box[0, 2:] - box[0, :2])))
            off_px = np.hypot(*(placed.points - truth)[INNER].T).mean()
            errors = score.errors.setdefault(_class_of(facts), [])
            errors.append(float(100 * off_px / size_px))
        return


def _found(score: _Score, search: FaceDetector, image: np.ndarray) -> list[Detection]:
    began = time.perf_counter()
    [faces] = search.detect([image])
    if max(image.shape) >= 400 and faces:  # one look, not the second ones
        shown = min(1.0, 640 / max(image.shape))
        pixels = image.shape[0] * image.shape[1] * shown * shown
        score.seconds.append((time.perf_counter() - began) * 640 * 360 / pixels)
    return faces


def _class_of(facts: dict[str, Any]) -> str:
    if "pose_deg" not in facts:
        return "other"
    yaw_deg = abs(facts["pose_deg"]["yaw"])
    return "front" if yaw_deg < 30 else "turned" if yaw_deg <= 60 else "profile"


def _picture(name: str) -> np.ndarray:
    image = cv2.imread(str(STILLS / name))
    if image is None:
        raise FileNotFoundError(STILLS / name)
    return image


def _row(name: str, score: _Score) -> str:
    errors = " | ".join(
        f"{np.mean(own):.2f} ({len(own)})" if (own := score.errors.get(kind)) else "-"
        for kind in ("front", "turned", "profile", "other")
    )
    return (
        f"| {name} | {score.found} of {score.boxes} | {score.false}"
        f" | {score.annotated_found} of {score.stills} | {errors}"
        f" | {np.median(score.seconds):.2f} |\n"
    )
