"""The face enhancer against numbers of the original, with weights by recipe."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest

from engine.nets.face_enhancer import FaceEnhancerNet, doubled
from engine.nets.face_enhancing import FaceEnhancer
from engine.protocol.errors import InputError, Stopped
from tests.nets.golden import golden_arrays, recipe_tensor
from tests.support.shared import shared_path


def go_on() -> None:
    """Nobody asks for a stop."""


@pytest.fixture(scope="module")
def shapes() -> dict[str, tuple[int, ...]]:
    facts = json.loads(shared_path("golden", "nets", "face", "face.json").read_text())
    return {
        name.removeprefix("FaceEnhancer/"): tuple(tensor["shape"])
        for name, tensor in facts["FaceEnhancer"]["tensors"].items()
    }


@pytest.fixture(scope="module")
def enhancer(shapes: dict[str, tuple[int, ...]]) -> FaceEnhancer:
    weights = {name: recipe_tensor(f"FaceEnhancer/{name}", shape) for name, shape in shapes.items()}
    return FaceEnhancer(weights, is_gpu=False)


@pytest.fixture(scope="module")
def golden() -> Any:
    return golden_arrays("face", "face.npz")


def test_its_tensors_have_the_names_and_shapes_of_the_weight_file(
    shapes: dict[str, tuple[int, ...]],
) -> None:
    net = {name: tuple(variable.shape) for name, variable in FaceEnhancerNet().named_weights()}
    assert net == shapes
    assert sum(int(np.prod(shape)) for shape in net.values()) == 33_111_401


def test_sides_are_doubled_as_tensorflow_1_did() -> None:
    picture = np.float32([[0, 1], [2, 5]])[None, :, :, None]
    rows = [[0, 0.5, 1, 1], [1, 2, 3, 3], [2, 3.5, 5, 5], [2, 3.5, 5, 5]]
    np.testing.assert_allclose(np.asarray(doubled(picture))[0, :, :, 0], rows)


def test_weights_of_another_net_are_refused() -> None:
    with pytest.raises(InputError, match="conv1/weight:0"):
        FaceEnhancer({"conv1/weight:0": np.zeros((7, 7, 3, 64), np.float32)}, is_gpu=False)


@pytest.mark.slow
def test_one_tile_agrees_with_the_original(enhancer: FaceEnhancer, golden: Any) -> None:
    path = shared_path("golden", "nets", "face", "enhancer_input.png")
    # The original was given 0..1 here, as its merger does.
    picture = np.float32(cv2.imread(str(path))) / 255
    large = enhancer.enlarge(picture, go_on)
    np.testing.assert_allclose(large[352:416, 352:416], golden["enh_is_tanh_4x_center"], atol=2e-5)
    # All but the first row and column, which the original makes black.
    np.testing.assert_allclose(
        large[8::8, 8::8], golden["enh_is_tanh_4x_stride8"][1:, 1:], atol=2e-5
    )


@pytest.mark.slow
def test_a_picture_of_several_tiles_agrees_with_the_original(
    enhancer: FaceEnhancer, golden: Any
) -> None:
    original = golden["enh_224x200_in"]
    large = enhancer.enlarge(original * 2 - 1, go_on)
    small = cv2.resize(large, (224, 200), interpolation=cv2.INTER_LANCZOS4)
    ours, theirs = np.clip(small / 2 + 0.5, 0, 1)[::2, ::2], golden["enh_224x200_preserve"]
    difference = np.abs(ours - theirs)[1:, 1:]  # their edge is darkened
    # Their weights are half a pixel off the middle, which shows a little where tiles overlap.
    assert difference.max() < 0.006
    assert difference.mean() < 2e-4


@pytest.mark.slow
def test_a_stop_is_heard_between_tiles(enhancer: FaceEnhancer) -> None:
    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        enhancer.enhance(np.zeros((64, 64, 3), np.uint8), stop)
