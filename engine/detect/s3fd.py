"""S3FD, the detector of DeepFaceLab 2.0, with the user's weights and DFL's treatment of its boxes.

Pictures are shown to the net at half their size, so that one of up to 1280 px becomes what DFL
shows it: 640 px at most, else half.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detect.boxes import Boxes
from engine.detect.detection import Detection, ImageBgrU8
from engine.detect.s3fd_net import STRIDES_PX, Outputs, S3fdNet

# DFL's numbers.
MIN_SCORE = 0.5
CANDIDATE_SCORE = 0.05
MAX_OVERLAP = 0.3
LEAST_SIDE_PX = 64
CHIN_SHARE = 0.1  # boxes end above the chin; they grow downwards by so much of their height
# A stride's own box is 4 strides large; offsets count in tenths of it, sizes in fifths of e-folds.
BOX_STRIDES, MIDDLE_UNIT, SIZE_UNIT = 4, 0.1, 0.2
# Five poolings leave nothing of less.
LEAST_EDGE_PX = 32
# First layers take 0.5 KB a pixel: 16 pictures of 320x200 and no more are one batch.
BATCH_PIXELS = 1 << 20


class S3fdDetector:
    """A `FaceDetector` without five points. Scores are 0..1; boxes are whole pixels, may reach
    over the picture's edge, and overlap by less than 0.3.

    min_score: how sure the net must be of a face.
    """

    def __init__(self, net: S3fdNet, *, min_score: float = MIN_SCORE) -> None:
        self._net = net
        self._min_score = min_score

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]:
        """The faces of each picture, best first. Pictures of one size share a batch."""
        found: list[list[Detection]] = [[] for _ in images_bgr_u8]
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for place, image in enumerate(images_bgr_u8):
            by_shape.setdefault(image.shape, []).append(place)
        for shape, places in by_shape.items():
            scale = _net_scale(shape)
            at_once = max(1, int(BATCH_PIXELS / (shape[0] * shape[1] * scale * scale)))
            for start in range(0, len(places), at_once):
                batch = places[start : start + at_once]
                shown = np.stack([_shown(images_bgr_u8[place], scale) for place in batch])
                outputs = self._net(shown)
                for row, place in enumerate(batch):
                    found[place] = faces_in(outputs, row, 1 / scale, self._min_score)
        return found


def faces_in(
    outputs: Outputs, row: int, enlargement: float, min_score: float = MIN_SCORE
) -> list[Detection]:
    """The faces of the batch's picture `row`, best first. enlargement: the picture's size in sizes
    of what the net saw."""
    boxes, scores = _candidates(outputs, row)
    kept = _best(boxes, scores)
    kept = kept[scores[kept] >= min_score]
    # Whole pixels of the net's picture, then of the larger one: as DFL rounds.
    whole = np.trunc(boxes[kept]) * enlargement
    whole[:, 3] += CHIN_SHARE * (whole[:, 3] - whole[:, 1])
    return [
        Detection((left, top, right, bottom), float(score))
        for (left, top, right, bottom), score in zip(
            np.trunc(whole).tolist(), scores[kept], strict=True
        )
    ]


def _net_scale(shape_hw: tuple[int, ...]) -> float:
    longest_px = max(shape_hw[:2])
    return max(LEAST_SIDE_PX, longest_px / 2) / longest_px


def _shown(image_bgr_u8: ImageBgrU8, scale: float) -> NDArray[np.float32]:
    """What the net sees, RGB 0..255; a narrow picture is widened by black."""
    height_px, width_px = (max(1, int(side * scale)) for side in image_bgr_u8.shape[:2])
    small = cv2.resize(image_bgr_u8, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    below, beside = (max(0, LEAST_EDGE_PX - side) for side in (height_px, width_px))
    if below or beside:
        small = cv2.copyMakeBorder(small, 0, below, 0, beside, cv2.BORDER_CONSTANT)
    return np.asarray(small[..., ::-1], np.float32)


def _candidates(outputs: Outputs, row: int) -> tuple[Boxes, NDArray[np.float64]]:
    """Boxes in pixels of what the net saw, and their scores."""
    boxes, scores = [], []
    for stride_px, (score_map, offset_map) in zip(STRIDES_PX, outputs, strict=True):
        y, x = np.nonzero(score_map[row] > CANDIDATE_SCORE)
        offsets = offset_map[row, y, x].astype(np.float64)
        side_px = BOX_STRIDES * stride_px
        middles = (np.stack([x, y], axis=1) + 0.5) * stride_px
        middles += offsets[:, :2] * MIDDLE_UNIT * side_px
        halves = side_px / 2 * np.exp(offsets[:, 2:] * SIZE_UNIT)
        boxes.append(np.concatenate([middles - halves, middles + halves], axis=1))
        scores.append(score_map[row, y, x].astype(np.float64))
    every_box, every_score = np.concatenate(boxes), np.concatenate(scores)
    sound = np.isfinite(every_box).all(axis=1)  # a size may overflow
    return every_box[sound], every_score[sound]


def _best(boxes: Boxes, scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the boxes that no better kept one overlaps, best first. As in DFL sides count one
    pixel more than they measure, and of equals the last comes first."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1.0
    areas = np.prod(sides, axis=1)
    left = np.argsort(scores, kind="stable")[::-1]
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        inner_lt = np.maximum(boxes[best, :2], boxes[left, :2])
        inner_rb = np.minimum(boxes[best, 2:], boxes[left, 2:])
        inner = np.prod(np.maximum(inner_rb - inner_lt + 1.0, 0.0), axis=1)
        left = left[inner <= MAX_OVERLAP * (areas[best] + areas[left] - inner)]
    return np.array(kept, dtype=np.intp)
