"""MTCNN in a compiled runner: the nets as tf.functions over batches, the box work in numpy.

The same weights as the package `mtcnn`, and the same boxes; its eager pass takes several times as
long, and finds nothing at all for some sizes of frame and face.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.detect.boxes import Boxes, clipped, squared, without_doubles
from engine.detect.detection import Detection, ImageBgrU8
from engine.detect.mtcnn_nets import output_net, proposal_net, refine_net
from engine.protocol.errors import InputError

# Thresholds, overlap limits and the pyramid's step are those of the package and the paper.
CELL_PX = 12
STRIDE_PX = 2
PYRAMID_STEP = 0.709
PROPOSAL_SCORE = 0.6
REFINE_SCORE = 0.7
# Smallest batch of patches; larger ones are multiples of an eighth of the next power of 2, so that
# few shapes are ever prepared and few patches are in vain.
MIN_BUCKET = 8


class MtcnnDetector:
    """A `FaceDetector`. Scores are 0..1, and boxes lie inside the picture.

    min_face_px: the smallest face looked for, at least 12; half of it takes four times as long.
    min_score: how sure the last net must be.
    """

    def __init__(self, *, min_face_px: float = 20.0, min_score: float = 0.8) -> None:
        self._min_face_px = max(min_face_px, float(CELL_PX))
        self._min_score = min_score
        self._propose, self._refine, self._finish = _compiled_nets()

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]:
        """The faces of each picture, best first. Pictures of one size share a batch."""
        found: list[list[Detection]] = [[] for _ in images_bgr_u8]
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for place, image in enumerate(images_bgr_u8):
            by_shape.setdefault(image.shape, []).append(place)
        for places in by_shape.values():
            batch_bgr = np.stack([images_bgr_u8[place] for place in places])
            faces = self._detect_batch(np.ascontiguousarray(batch_bgr[..., ::-1]))
            for place, own_faces in zip(places, faces, strict=True):
                found[place] = own_faces
        return found

    def _detect_batch(self, batch_rgb_u8: NDArray[np.uint8]) -> list[list[Detection]]:
        owners, boxes = self._proposals(batch_rgb_u8)
        owners, boxes = self._refined(batch_rgb_u8, owners, boxes)
        return self._finished(batch_rgb_u8, owners, boxes)

    def _proposals(self, batch: NDArray[np.uint8]) -> tuple[NDArray[np.intp], Boxes]:
        """Square candidates of all pyramid levels, and to which picture each belongs."""
        owners, boxes, scores = [], [], []
        # Float before scaling: rounded levels move some boxes by 5 px against the package's.
        images = batch.astype(np.float32)
        for scale in pyramid_scales(batch.shape[2], batch.shape[1], self._min_face_px):
            level = _level(images, scale)
            cells, offsets, level_scores = (part.numpy() for part in self._propose(level))
            level_boxes = _boxes_of_cells(cells, offsets) / scale
            kept = _best_per_owner(cells[:, 0], level_boxes, level_scores, 0.5)
            owners.append(cells[kept, 0])
            boxes.append(level_boxes[kept])
            scores.append(level_scores[kept])
        if not owners:
            return np.empty(0, dtype=np.intp), np.empty((0, 4))
        every_owner, every_box = np.concatenate(owners), np.concatenate(boxes)
        kept = _best_per_owner(every_owner, every_box, np.concatenate(scores), 0.7)
        return every_owner[kept], squared(every_box[kept])

    def _refined(
        self, batch: NDArray[np.uint8], owners: NDArray[np.intp], boxes: Boxes
    ) -> tuple[NDArray[np.intp], Boxes]:
        if not len(owners):
            return owners, boxes
        offsets, scores = _run_on_patches(self._refine, batch, owners, boxes)
        boxes = _shifted(boxes, offsets)
        sure = scores > REFINE_SCORE
        owners, boxes, scores = owners[sure], boxes[sure], scores[sure]
        kept = _best_per_owner(owners, boxes, scores, 0.7)
        return owners[kept], squared(boxes[kept])

    def _finished(
        self, batch: NDArray[np.uint8], owners: NDArray[np.intp], boxes: Boxes
    ) -> list[list[Detection]]:
        faces: list[list[Detection]] = [[] for _ in batch]
        if not len(owners):
            return faces
        offsets, points, scores = _run_on_patches(self._finish, batch, owners, boxes)
        points_xy = _points_in_picture(points, boxes)
        boxes = clipped(_shifted(boxes, offsets), batch.shape[2], batch.shape[1])
        sure = np.flatnonzero(scores > self._min_score)
        for owner in np.unique(owners[sure]):
            own = sure[owners[sure] == owner]
            for index in own[without_doubles(boxes[own], scores[own], 0.7, "smaller")]:
                faces[owner].append(_detection(boxes[index], scores[index], points_xy[index]))
        return faces


Pixels = TypeVar("Pixels", bound=NDArray[Any])
_Compiled = Callable[..., Any]


def pyramid_scales(width_px: int, height_px: int, min_face_px: float) -> list[float]:
    """Scales at which one cell covers a face of `min_face_px` or more, as long as the shorter side
    holds a cell."""
    scales = []
    scale = CELL_PX / min_face_px
    while min(width_px, height_px) * scale >= CELL_PX:
        scales.append(scale)
        scale *= PYRAMID_STEP
    return scales


@cache
def _compiled_nets() -> tuple[_Compiled, _Compiled, _Compiled]:
    """The three nets, built once per process: they hold nothing but weights."""
    refine, finish = _compiled_patches(refine_net(), 24), _compiled_patches(output_net(), 48)
    return _compiled_proposals(), refine, finish


def _compiled_proposals() -> _Compiled:
    net = proposal_net()

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def propose(level: Any) -> Any:
        offsets, classes = net((level - 127.5) / 128.0)
        scores = classes[..., 1]
        cells = tf.where(scores > PROPOSAL_SCORE)
        return cells, tf.gather_nd(offsets, cells), tf.gather_nd(scores, cells)

    return propose  # type: ignore[no-any-return]


def _compiled_patches(net: Any, side_px: int) -> _Compiled:
    """The net over patches cut from the batch; outside the picture is mid grey."""
    signature = [
        tf.TensorSpec((None, None, None, 3), tf.uint8),
        tf.TensorSpec((None, 4), tf.float32),
        tf.TensorSpec((None,), tf.int32),
    ]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def run(batch: Any, boxes_tlbr: Any, owners: Any) -> Any:
        size = (side_px, side_px)
        patches = tf.image.crop_and_resize(
            batch, boxes_tlbr, owners, size, extrapolation_value=127.5
        )
        *others, classes = net((patches - 127.5) / 128.0)
        return *others, classes[:, 1]

    return run  # type: ignore[no-any-return]


def _run_on_patches(
    run: _Compiled, batch: NDArray[np.uint8], owners: NDArray[np.intp], boxes: Boxes
) -> list[NDArray[np.float64]]:
    """The net's outputs for each box; the patches are padded to a bucket of 8, 16 ... 72, 80 ..."""
    count = len(owners)
    step = max(MIN_BUCKET, (1 << (count - 1).bit_length()) // 8)
    bucket = -(-count // step) * step
    # As in the package, positions are divided by the size, not by the last pixel's index.
    size = np.array([batch.shape[1], batch.shape[2]] * 2, dtype=np.float64)
    padded_boxes = np.zeros((bucket, 4), dtype=np.float32)
    padded_boxes[:count] = boxes[:, [1, 0, 3, 2]] / size
    padded_owners = np.zeros(bucket, dtype=np.int32)
    padded_owners[:count] = owners
    outputs = run(batch, padded_boxes, padded_owners)
    return [output.numpy()[:count].astype(np.float64) for output in outputs]


def _scaled(image: Pixels, size: tuple[int, int]) -> Pixels:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]


def _level(images: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    size = (int(images.shape[2] * scale), int(images.shape[1] * scale))
    return np.stack([_scaled(image, size) for image in images])


def _boxes_of_cells(cells: NDArray[np.int64], offsets: NDArray[np.float32]) -> Boxes:
    """Cells (n, 3: picture, y, x) of P-Net's map as boxes in pixels of the level."""
    left_top = cells[:, [2, 1]] * float(STRIDE_PX)
    corners = np.concatenate([left_top + 1.0, left_top + CELL_PX], axis=1)
    return np.asarray(corners + offsets * (CELL_PX - 1.0), dtype=np.float64)


def _best_per_owner(
    owners: NDArray[Any], boxes: Boxes, scores: NDArray[Any], limit: float
) -> NDArray[np.intp]:
    kept = [np.empty(0, dtype=np.intp)]
    for owner in np.unique(owners):
        own = np.flatnonzero(owners == owner)
        kept.append(own[without_doubles(boxes[own], scores[own], limit)])
    return np.concatenate(kept)


def _shifted(boxes: Boxes, offsets: NDArray[np.float64]) -> Boxes:
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2] + 1.0, 2)
    return boxes + offsets * sizes


def _points_in_picture(points: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    """O-Net's (n, 10) as (n, 5, 2) pixels."""
    sizes = boxes[:, None, 2:] - boxes[:, None, :2] + 1.0
    parts = np.stack([points[:, :5], points[:, 5:]], axis=2)
    return np.asarray(parts * sizes + boxes[:, None, :2] - 1.0)


def _detection(
    box: NDArray[np.float64], score: np.float64, points_xy: NDArray[np.float64]
) -> Detection:
    left, top, right, bottom = (float(side) for side in box)
    return Detection((left, top, right, bottom), float(score), points_xy)


def choose_device(device: str) -> None:
    """Let TensorFlow see only the devices of the option `device`: auto, cpu, or GPU numbers.

    Raises `InputError` for a GPU that is not there, and when TensorFlow has begun to use others.
    """
    if device == "auto":
        return
    gpus = tf.config.list_physical_devices("GPU")
    wanted = [] if device == "cpu" else [int(number) for number in device.split(",")]
    if any(number >= len(gpus) for number in wanted):
        raise InputError(
            f"--device {device}: TensorFlow sees {len(gpus)} GPUs",
            "choose auto, cpu, or a number that is there (see `facewright doctor`)",
        )
    try:
        tf.config.set_visible_devices([gpus[number] for number in wanted], "GPU")
    except RuntimeError as error:
        raise InputError(f"--device {device} comes too late: {error}", "use auto") from error
