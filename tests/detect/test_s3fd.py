from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.detect.detection import ImageBgrU8
from engine.detect.s3fd import S3fdDetector, faces_in
from engine.detect.s3fd_net import STRIDES_PX, Outputs, s3fd_net
from engine.protocol.errors import InputError
from tests.detect.recipe import recipe_weights
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow  # loads nets

LEAST_SIDE_PX = 40  # the reference drops smaller boxes itself; here the stage does


def _golden() -> Any:
    return np.load(shared_path("golden", "nets", "face", "face.npz"), allow_pickle=False)


def _golden_boxes() -> list[dict[str, Any]]:
    text = shared_path("golden", "nets", "face", "face.json").read_text()
    cases: list[dict[str, Any]] = json.loads(text)["s3fd_extract"]
    return cases


def test_the_net_computes_the_references_scores_and_offsets() -> None:
    golden = _golden()
    outputs = s3fd_net(recipe_weights("S3FD"))(golden["s3fd_in"])
    for number, (scores, offsets) in enumerate(outputs, start=1):
        np.testing.assert_allclose(scores, golden[f"s3fd_cls{number}"][..., 1], atol=2e-5)
        np.testing.assert_allclose(offsets, golden[f"s3fd_reg{number}"], atol=2e-4)


@pytest.mark.parametrize("case", [0, 1, 2])
def test_boxes_are_the_references_for_the_same_outputs_of_the_net(case: int) -> None:
    golden, wanted = _golden(), _golden_boxes()[case]
    key = wanted["key"]
    outputs = [(golden[f"{key}_{2 * n}"][..., 1], golden[f"{key}_{2 * n + 1}"]) for n in range(6)]
    enlarged = max(wanted["image_hw"]) / max(wanted["net_input_shape"])
    found = [face.box_ltrb for face in faces_in(outputs, 0, enlarged)]
    kept = [box for box in found if _is_large(box, enlarged)]
    assert sorted(kept) == sorted(tuple(map(float, box)) for box in wanted["rects"])


def _is_large(box: tuple[float, float, float, float], enlarged: float) -> bool:
    """By its sides before they were rounded and the chin was added, as the reference goes."""
    sides = np.array([box[2] - box[0], (box[3] - box[1]) / 1.1])
    return bool((np.round(sides / enlarged) * enlarged).min() >= LEAST_SIDE_PX)


class _Seen:
    """A net that finds one face of 32 px, 8 px from the corner, and remembers what it saw."""

    def __init__(self) -> None:
        self.batches: list[np.ndarray] = []

    def __call__(self, images_rgb: np.ndarray) -> Outputs:
        self.batches.append(images_rgb)
        count, height, width, _ = images_rgb.shape
        outputs: Outputs = []
        for stride in STRIDES_PX:
            shape = (count, height // stride, width // stride)
            outputs.append((np.zeros(shape, np.float32), np.zeros((*shape, 4), np.float32)))
        outputs[1][0][:, 2, 2] = 0.9  # stride 8, box 32: middle at 20
        return outputs


def test_pictures_are_shown_halved_in_rgb_and_boxes_come_back_in_their_pixels() -> None:
    image = np.zeros((200, 320, 3), np.uint8)
    image[..., 0] = 250  # blue
    net = _Seen()
    [[face]] = S3fdDetector(net).detect([image])
    assert net.batches[0].shape == (1, 100, 160, 3)
    np.testing.assert_array_equal(net.batches[0][0, 0, 0], (0, 0, 250))
    # 64 px high in the picture, and the chin's tenth
    assert face.box_ltrb == (8.0, 8.0, 72.0, 78.0)
    assert face.score == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("shape_hw", "seen_hw"),
    [((720, 1280), (360, 640)), ((60, 90), (42, 64)), ((10, 400), (32, 200))],
)
def test_the_net_sees_no_less_than_64_px_and_no_strips(
    shape_hw: tuple[int, int], seen_hw: tuple[int, int]
) -> None:
    net = _Seen()
    S3fdDetector(net).detect([np.zeros((*shape_hw, 3), np.uint8)])
    assert net.batches[0].shape[1:3] == seen_hw


def test_pictures_of_one_size_share_batches_of_bounded_size() -> None:
    net = _Seen()
    images: list[ImageBgrU8] = [np.zeros((720, 1280, 3), np.uint8)] * 6
    images.insert(3, np.zeros((100, 100, 3), np.uint8))
    found = S3fdDetector(net).detect(images)
    assert [len(faces) for faces in found] == [1] * 7
    assert sorted(len(batch) for batch in net.batches) == [1, 2, 4]


def test_faces_the_net_is_less_sure_of_than_asked_are_left_out() -> None:
    image = np.zeros((200, 320, 3), np.uint8)
    assert S3fdDetector(_Seen(), min_score=0.95).detect([image]) == [[]]


@pytest.mark.parametrize("size_px", [1, 31, 64])
def test_a_picture_of_any_size_can_be_searched(size_px: int) -> None:
    detector = S3fdDetector(s3fd_net(recipe_weights("S3FD")), min_score=0.999)
    assert len(detector.detect([np.zeros((size_px, 5, 3), np.uint8)])) == 1


def test_weights_of_another_net_are_refused_by_name() -> None:
    weights = dict(recipe_weights("S3FD"))
    del weights["fc7/weight:0"]
    with pytest.raises(InputError, match=r"S3FD\.npy .* fc7/weight .* missing"):
        s3fd_net(weights)
    weights["fc7/weight:0"] = np.zeros((3, 3), np.float32)
    with pytest.raises(InputError, match=r"fc7/weight should be \[1, 1, 1024, 1024\], is \[3, 3\]"):
        s3fd_net(weights)
