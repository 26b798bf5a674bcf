"""How many faces the stage finds in the reference clips, frame by frame, against those counted by
eye; and how many of turned and spoilt pictures. Three tables.

On the reference clips and stills, which lie beside a developer's checkout; only detectors whose
weights come with the install.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.detect.boxes import overlaps
from engine.detect.detection import FaceDetector
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace, list_images
from engine.stages.faces_extract.detectors import detector_of, face_search
from engine.stages.faces_extract.plan import cut_settings
from engine.stages.faces_extract.spec import FACES_EXTRACT
from tests.detect.media import clip_frames, turned
from tests.stages.extracting import extract, faces, workspace
from tests.support.shared import SHARED

STILLS = SHARED / "media" / "stills"
MOST_FRAMES = 24  # of a clip in which nothing happens later
TECH_FRAMES = 8
FEW_FRAMES = range(0, 31, 15)  # for the detector that takes seconds a frame


@dataclass(frozen=True)
class _Clip:
    """counts: from which frame on how many faces are right."""

    name: str
    frames: int = MOST_FRAMES
    counts: tuple[tuple[int, tuple[int, ...]], ...] = ((0, (1,)),)


# As counted by eye. In occlusion_mic_cuts a head in profile leaves and comes back from 20 to 81.
CLIPS = (
    *(_Clip(f"{name}.mp4") for name in ("pairA_src", "pairA_dst", "pairB_src", "pairB_dst")),
    _Clip("two_faces.mp4", 56, ((0, (2,)),)),
    _Clip("two_faces_large.mp4", counts=((0, (2,)),)),
    _Clip("occlusion_hand_eat.mkv", 47),
    _Clip("occlusion_hand_bird.mkv", 63, ((0, (1, 2)),)),
    _Clip("occlusion_mic_cuts.mp4", 211, ((0, (2,)), (20, (0, 1)), (82, (1,)))),
    _Clip("occlusion_synthetic.mp4"),
    *(_Clip(f"tech/{name}.mp4", TECH_FRAMES) for name in ("film23976_bframes", "ntsc2997_tone")),
    *(_Clip(f"tech/{name}.mp4", TECH_FRAMES) for name in ("vfr", "editlist_start", "tenbit_hevc")),
    _Clip("tech/odd_321x239_ffv1.mkv", TECH_FRAMES),
    _Clip("tech/alpha_prores4444.mov", TECH_FRAMES),
)
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mtcnn", {}),
    ("mtcnn, not followed", {"follow_faces": "no"}),
    ("dlib-hog", {"detector": "dlib-hog"}),
    ("dlib-hog, not followed", {"detector": "dlib-hog", "follow_faces": "no"}),
)
FEW_WAY: tuple[str, dict[str, Any]] = (
    "dlib-cnn, 3 frames",
    {"detector": "dlib-cnn", "rotations": "none"},
)
ROLLS_DEG = (0, 15, 30, 45, 60, 90, 120, 150, 180)
ROLLED = (
    *(("pairA_src.mp4", 0), ("pairA_dst.mp4", 0), ("pairB_src.mp4", 90), ("pairB_dst.mp4", 140)),
    *(("occlusion_hand_eat.mkv", 0), ("occlusion_mic_cuts.mp4", 105)),
)
MIN_OVERLAP = 0.3


def measure() -> Iterator[str]:
    """The tables as Markdown, line by line."""
    if not STILLS.is_dir():
        yield "counts: the reference clips are not beside this checkout\n"
        return
    yield from _clips_table()
    yield "\n"
    yield from _rolls_table()
    yield "\n"
    yield from _spoilt_table()


@dataclass
class _Score:
    right: int = 0
    frames: int = 0
    wrong: int = 0
    missed: int = 0

    def __str__(self) -> str:
        return f"{self.right} of {self.frames}, {self.wrong}, {self.missed}"

    def add(self, other: _Score) -> None:
        self.right, self.frames = self.right + other.right, self.frames + other.frames
        self.wrong, self.missed = self.wrong + other.wrong, self.missed + other.missed


def _clips_table() -> Iterator[str]:
    yield _row("clip", *(name for name, _ in (*WAYS, FEW_WAY)))
    yield _row(*["---"] * (len(WAYS) + 2))
    sums = [_Score() for _ in (*WAYS, FEW_WAY)]
    for clip in CLIPS:
        scores = [_counted(clip, range(clip.frames), way) for _, way in WAYS]
        scores.append(_counted(clip, FEW_FRAMES, FEW_WAY[1]))
        for total, score in zip(sums, scores, strict=True):
            total.add(score)
        yield _row(Path(clip.name).stem, *map(str, scores))
    yield _row("all", *map(str, sums))


def _counted(clip: _Clip, wanted: Sequence[int], options: dict[str, Any]) -> _Score:
    """The stage's counts of a clip's frames against those that are right."""
    with tempfile.TemporaryDirectory() as folder:
        root = workspace(Path(folder), clip.name, wanted)
        extract(root, debug_images="no", **options)
        found = {path.stem: 0 for path in list_images(Workspace(root).dst.frames)}
        for path in faces(root):
            found[path.stem.rpartition("_")[0]] += 1
    score = _Score()
    for number, count in zip(wanted, found.values(), strict=False):  # a clip may be shorter
        right = [counts for start, counts in clip.counts if start <= number][-1]
        score.frames += 1
        score.right += count in right
        score.wrong += max(0, count - max(right))
        score.missed += max(0, min(right) - count)
    return score


def _rolls_table() -> Iterator[str]:
    pictures = [clip_frames(name, [number])[0] for name, number in ROLLED]
    yield _row("turned by, degrees", *map(str, ROLLS_DEG))
    yield _row(*["---"] * (len(ROLLS_DEG) + 1))
    for name, search in _searches():
        counts = []
        for degrees in ROLLS_DEG:
            found = search.detect([turned(picture, degrees)[0] for picture in pictures])
            counts.append(f"{sum(len(faces) == 1 for faces in found)} of {len(pictures)}")
        yield _row(name, *counts)


def _darker(light: float) -> Callable[[np.ndarray], np.ndarray]:
    def spoil(image: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(5).normal(0, 1, image.shape)
        return np.clip(image * light + noise, 0, 255).astype(np.uint8)

    return spoil


SPOILT: tuple[tuple[str, float, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("as it is", 1.0, lambda image: image),
    ("half size", 0.5, lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=3)),
    ("1/8 of the light, noise 1", 1.0, _darker(1 / 8)),
    ("1/32, noise 1", 1.0, _darker(1 / 32)),
    ("blur of sigma 2.5", 1.0, lambda image: cv2.GaussianBlur(image, (0, 0), 2.5)),
)


def _spoilt_table() -> Iterator[str]:
    facts = json.loads((STILLS / "face_boxes.json").read_text())["images"]
    yield _row("drawn boxes found, too many", *(name for name, _, _ in SPOILT))
    yield _row(*["---"] * (len(SPOILT) + 1))
    for name, search in _searches():
        cells = []
        for _, scale, spoil in SPOILT:
            found = false = boxes = 0
            for still, rows in facts.items():
                drawn = np.array([row["box"] for row in rows], float) * scale
                image = cv2.imread(str(STILLS / still))
                shared = _shared(search, spoil(np.asarray(image, np.uint8)), drawn)
                boxes += len(drawn)
                found += int((shared.max(axis=1, initial=0) > MIN_OVERLAP).sum())
                false += int((shared.max(axis=0, initial=0) <= MIN_OVERLAP).sum())
            cells.append(f"{found} of {boxes}, {false}")
        yield _row(name, *cells)


def _shared(search: FaceDetector, image: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(drawn, found): how much they overlap."""
    [faces] = search.detect([image])
    return overlaps(drawn, np.array([face.box_ltrb for face in faces], float).reshape(-1, 4))


def _searches() -> Iterator[tuple[str, FaceDetector]]:
    for name in ("mtcnn", "dlib-hog"):
        settings = cut_settings(complete_values(FACES_EXTRACT.options, {"detector": name})).find
        yield name, face_search(detector_of(settings, {}), settings)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
