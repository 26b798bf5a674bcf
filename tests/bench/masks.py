"""What a mask made without any label leaves out: a table.

An XSeg net is trained on faces without anything before them, labelled by themselves, and judged on
clips with hands and microphones that it never saw. Trains anew (half an hour and more on a CPU)
unless FACEWRIGHT_BENCH_XSEG names a folder with a trained XSeg_256.npy; FACEWRIGHT_BENCH_STEPS sets
how long.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.faces.label_suggestions import refine_by_grabcut, suggest_to_hairline
from engine.faces.masks import Mask, hull_mask, polygons_mask
from engine.media.levels import unit_floats
from engine.models.xseg.predictor import XSegPredictor, load_xseg
from engine.nets.xseg import RESOLUTION
from engine.protocol.workspace import Workspace
from tests.bench.mask_faces import (
    FACE_PX,
    MEDIA,
    FaceCutter,
    JudgedFace,
    judged_drawn,
    judged_synthetic,
)
from tests.bench.mask_training import train_self_labelled

TRAINED = os.environ.get("FACEWRIGHT_BENCH_XSEG", "")
STEPS = int(os.environ.get("FACEWRIGHT_BENCH_STEPS", "1000"))
# Nothing is before these faces, and no judged frame is among them.
TRAINING_CLIPS: dict[str, range] = {
    "pairA_dst.mp4": range(102, 250, 6),
    "pairA_src.mp4": range(0, 216, 6),
    "pairB_dst.mp4": range(0, 282, 10),
    "pairB_src.mp4": range(0, 180, 6),
}
SHAPE_HW = (FACE_PX, FACE_PX)
MaskOf = Callable[[JudgedFace], Mask]
HEADER = (
    "| clip | faces | mask | IoU | of what hides the face, kept | of the seen face, lost |\n"
    "|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Score:
    """Shares of pixels, 0..1: intersection over union with what is seen of the face; how much of
    what hides the face is taken for face; how much of the seen face is left out."""

    iou: float
    kept: float
    lost: float


def measure() -> Iterator[str | tuple[str, float, str]]:
    """Rows of the training, then the table as Markdown."""
    if not MEDIA.is_dir():
        yield "masks: the reference clips are not beside this checkout\n"
        return
    cutter = FaceCutter()
    with tempfile.TemporaryDirectory() as folder:
        if not TRAINED:
            told: list[tuple[str, float, str]] = []
            _train(cutter, Path(folder), told)
            yield from told
        net = load_xseg(Workspace(Path(folder)), TRAINED or folder, device="cpu")
    ways: dict[str, MaskOf] = {
        "hull": lambda one: hull_mask(SHAPE_HW, one.face.data.landmarks),
        "landmarks up to the hair": _outline,
        "the same, by GrabCut": _by_grabcut,
        "XSeg, self-labelled": lambda one: _by_net(net, one),
    }
    yield HEADER
    judged = defaultdict(list)
    for one in (*judged_synthetic(cutter), *judged_drawn(cutter)):
        judged[one.clip].append(one)
    for clip, faces in judged.items():
        for way, mask_of in ways.items():
            scores = [score(mask_of(one), one) for one in faces]
            yield _row(clip, len(faces), way, scores)


def score(mask: Mask, judged: JudgedFace) -> Score:
    """How a mask (512, 512) compares with what is known of the face."""
    found = mask > 0.5
    hidden = (judged.before > 0) & (judged.region > 0)
    seen = (judged.region > 0) & ~hidden
    return Score(
        iou=float((found & seen).sum() / (found | seen).sum()),
        kept=float((found & hidden).sum() / max(hidden.sum(), 1)),
        lost=float((seen & ~found).sum() / seen.sum()),
    )


def _train(cutter: FaceCutter, folder: Path, told: list[tuple[str, float, str]]) -> None:
    faces = [
        face for clip, numbers in TRAINING_CLIPS.items() for _, face in cutter.faces(clip, numbers)
    ]
    told.append(("training faces", len(faces), ""))
    train_self_labelled(faces, STEPS, folder, lambda *row: told.append(row))


def _outline(one: JudgedFace) -> Mask:
    face = one.face
    return polygons_mask(SHAPE_HW, suggest_to_hairline(face.picture_bgr_u8, face.data.landmarks))


def _by_grabcut(one: JudgedFace) -> Mask:
    picture = one.face.picture_bgr_u8
    drawn = suggest_to_hairline(picture, one.face.data.landmarks)
    return polygons_mask(SHAPE_HW, refine_by_grabcut(picture, drawn))


def _by_net(net: XSegPredictor, one: JudgedFace) -> Mask:
    small = cv2.resize(
        one.face.picture_bgr_u8, (RESOLUTION, RESOLUTION), interpolation=cv2.INTER_AREA
    )
    [mask] = net.masks(unit_floats(small)[None])
    return np.asarray(cv2.resize(mask, SHAPE_HW), np.float32)


def _row(clip: str, count: int, way: str, scores: list[Score]) -> str:
    iou, kept, lost = np.mean([(one.iou, one.kept, one.lost) for one in scores], axis=0)
    return f"| {clip} | {count} | {way} | {iou:.3f} | {kept:.0%} | {lost:.0%} |\n"
