from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest

from engine.detect.detection import Detection, ImageBgrU8
from engine.detect.fan import FanLandmarker, peaks_of
from engine.detect.fan_net import fan_net
from engine.faces.alignment import face_from_frame, invert_affine, transform_points
from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError
from tests.detect.recipe import recipe_weights
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow  # loads nets


def _golden() -> Any:
    return np.load(shared_path("golden", "nets", "face", "face.npz"), allow_pickle=False)


def _case(number: int) -> dict[str, Any]:
    text = shared_path("golden", "nets", "face", "face.json").read_text()
    case: dict[str, Any] = json.loads(text)["fan_extract"][number]
    return case


def _picture(name: str) -> np.ndarray:
    image = cv2.imread(str(shared_path("golden", "nets", "face", name)))
    assert image is not None
    return image


def _face(rect: list[int], turned_deg: int = 0) -> Detection:
    left, top, right, bottom = (float(side) for side in rect)
    return Detection((left, top, right, bottom), 0.9, turned_deg=turned_deg)


class _Net:
    """Answers with heat maps that are given, and remembers what it saw."""

    def __init__(self, *answers: np.ndarray) -> None:
        self.answers = list(answers)
        self.seen: list[np.ndarray] = []

    def __call__(self, crops_rgb: np.ndarray) -> np.ndarray:
        self.seen.append(crops_rgb)
        return self.answers.pop(0)


class _Detector:
    def __init__(self, *rects: list[int]) -> None:
        self._faces = [_face(rect) for rect in rects]

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]:
        return [self._faces for _ in images_bgr_u8]


def _first_heat(number: int) -> np.ndarray:
    heat = _golden()[f"fan_fake{number}_heatmaps0"].astype(np.float32)
    return np.asarray(heat.transpose(1, 2, 0)[None])


def test_the_net_computes_the_references_heat_maps() -> None:
    golden = _golden()
    crop_rgb = _picture("fan_input_bgr.png")[..., ::-1].astype(np.float32)[None] / 255
    [heat] = fan_net(recipe_weights("FAN"), "2DFAN.npy")(crop_rgb)
    mean, std = golden["fan_heatmap_mean_std"][:, 0]
    np.testing.assert_allclose(heat.mean(axis=(0, 1)), mean, rtol=1e-3, atol=1e-3 * std.max())
    np.testing.assert_allclose(heat.std(axis=(0, 1)), std, rtol=1e-3)
    wanted = golden["fan_heatmaps_ch0_7_33_67"][0]
    for own, other in zip(heat[..., [0, 7, 33, 67]].transpose(2, 0, 1), wanted, strict=True):
        assert np.abs(own - other).max() < 1e-4 * np.abs(other).max()
    assert (heat.reshape(-1, 68).argmax(axis=0) == golden["fan_argmax"][0]).all()


@pytest.mark.parametrize("number", [0, 1])
def test_landmarks_are_the_references_for_the_same_heat_maps(number: int) -> None:
    case, net = _case(number), _Net(_first_heat(number))
    found = FanLandmarker(net, None).landmarks(
        _picture("fan_extract_image.png"), _face(case["rect"])
    )
    assert found is not None
    np.testing.assert_allclose(found.points, case["landmarks"], atol=1e-9)
    assert found.spread is None


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_net_sees_what_the_references_net_saw(number: int) -> None:
    net = _Net(_first_heat(number))
    image, face = _picture("fan_extract_image.png"), _face(_case(number)["rect"])
    FanLandmarker(net, None).landmarks(image, face)
    wanted = _picture(f"fan_extract{number}_crop0_rgb.png")[..., ::-1]
    difference = np.abs(net.seen[0][0] * 255 - wanted[..., ::-1])
    assert difference.max() < 2.5
    assert difference.mean() < 0.3


def test_the_second_pass_is_the_mean_of_five_looks_at_the_face_found_again() -> None:
    case, golden = _case(2), _golden()
    peaks = golden["fan_fake2_peaks"]
    again = np.zeros((5, 64 * 64, 68), np.float32)
    for look, own in enumerate(peaks[1:]):
        again[look, own, np.arange(68)] = 1
    net = _Net(_first_heat(2), again.reshape(5, 64, 64, 68))
    landmarker = FanLandmarker(net, _Detector(case["second_pass_rect"]))
    image, face = _picture("fan_extract_image.png"), _face(case["rect"])
    found = landmarker.landmarks(image, face)
    assert found is not None
    assert found.spread is not None
    # The reference's heat maps had slopes, these have none: each of its looks is a quarter of a
    # cell further one way or the other, so the mean of five is off by a multiple of a twentieth.
    first = FanLandmarker(_Net(_first_heat(2)), None).landmarks(image, face)
    assert first is not None
    crop_from_image = face_from_frame(first.points, 256, FaceType.FULL)
    pairs = (found.points, np.array(case["landmarks"]))
    ours, theirs = (transform_points(points, crop_from_image) for points in pairs)
    left, top, right, bottom = case["second_pass_rect"]
    cell_px = 200 * (right - left + bottom - top) / 195 / 64
    off_cells = (theirs - ours) / cell_px
    assert np.abs(off_cells).max() < 0.2501
    np.testing.assert_allclose(off_cells * 20, np.round(off_cells * 20), atol=1e-3)


@pytest.mark.parametrize("rects", [[], [[60, 50, 200, 215], [0, 0, 50, 50]]])
def test_without_exactly_one_face_in_the_crop_the_first_pass_counts(rects: list[list[int]]) -> None:
    image, face = _picture("fan_extract_image.png"), _face(_case(0)["rect"])
    found = FanLandmarker(_Net(_first_heat(0)), _Detector(*rects)).landmarks(image, face)
    assert found is not None
    np.testing.assert_allclose(found.points, _case(0)["landmarks"], atol=1e-9)


@pytest.mark.parametrize("degrees", [90, -90, 180, 30])
def test_a_face_in_a_turned_picture_is_seen_upright_and_its_points_turn_back(degrees: int) -> None:
    image = _picture("fan_extract_image.png")
    upright, turned = _Net(_first_heat(0)), _Net(_first_heat(0))
    face = _face([120, 120, 300, 300])
    # The picture turned clockwise around the face's middle is upright again when turned back.
    turn = cv2.getRotationMatrix2D((210.0, 210.0), -degrees, 1.0)
    lying = cv2.warpAffine(image, turn, (450, 450), flags=cv2.INTER_CUBIC)
    straight = FanLandmarker(upright, None).landmarks(image, face)
    found = FanLandmarker(turned, None).landmarks(lying, _face([120, 120, 300, 300], degrees))
    assert straight is not None
    assert found is not None
    back = transform_points(found.points, invert_affine(np.asarray(turn)))
    np.testing.assert_allclose(back, straight.points, atol=1e-6)
    middle = np.s_[0, 64:192, 64:192]
    assert np.abs(turned.seen[0][middle] - upright.seen[0][middle]).mean() * 255 < 4


def test_a_large_face_is_averaged_not_sampled() -> None:
    stripes = np.zeros((2000, 2000, 3), np.uint8)
    stripes[:, ::2] = 255
    net = _Net(_first_heat(0))
    FanLandmarker(net, None).landmarks(stripes, _face([600, 600, 1400, 1400]))
    assert net.seen[0][0, 100:150, 100:150].std() < 0.1


def test_points_that_lie_in_one_place_are_no_face() -> None:
    nowhere = np.zeros((1, 64, 64, 68), np.float32)
    image, face = _picture("fan_extract_image.png"), _face([120, 180, 300, 380])
    assert FanLandmarker(_Net(nowhere), _Detector()).landmarks(image, face) is None


def test_a_peak_lies_a_quarter_towards_the_higher_neighbour_but_not_at_the_edge() -> None:
    heat = np.zeros((1, 64, 64, 2), np.float32)
    heat[0, 10, 20, 0], heat[0, 10, 21, 0], heat[0, 9, 20, 0] = 1.0, 0.5, 0.3
    heat[0, 0, 20, 1], heat[0, 0, 21, 1] = 1.0, 0.5
    np.testing.assert_allclose(peaks_of(heat)[0], [(20.75, 10.25), (20.5, 0.5)])


def test_weights_of_another_net_are_refused_by_name() -> None:
    weights = dict(recipe_weights("FAN"))
    weights["bn1/running_var:0"] = np.full(64, np.nan, np.float32)
    with pytest.raises(InputError, match=r"2DFAN\.npy .* bn1/running_var .* not finite"):
        fan_net(weights, "2DFAN.npy")
