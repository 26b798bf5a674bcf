"""Composing single frames: what the model is given, and faces in odd places."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.protocol.look import Look
from engine.protocol.look_options import MODE
from tests.merge.composing import compose
from tests.merge.fakes import golden_predictor, round_predictor
from tests.merge.workspace import made_landmarks
from tests.support.shared import shared_path

FRAME_MODES = [mode for mode in MODE.kind.values if mode != "raw-predict"]


def noise_frame(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "frame", "faces"),
    [("default_overlay", "frame_A", ("A",)), ("two_faces", "frame_B", ("B0", "B1"))],
)
def test_the_model_is_given_the_crops_that_the_reference_gave(
    name: str, frame: str, faces: tuple[str, ...]
) -> None:
    folder = shared_path("golden", "merge")
    fakes, captured = np.load(folder / "fakes.npz"), np.load(folder / "captured.npz")
    predictor = golden_predictor("full_face")
    picture = cv2.imread(str(folder / f"{frame}.png"))
    compose(picture, [fakes[f"landmarks_{face}"] for face in faces], Look(), predictor)
    off_levels = np.abs(predictor.given - captured[f"{name}_predictor_input"]) * 255
    assert off_levels.max() <= 5
    assert off_levels.mean() <= 0.3


@pytest.mark.parametrize("mode", FRAME_MODES)
@pytest.mark.parametrize("left", [-400, -25, -8, 75, 90, 400])
def test_a_face_at_or_beyond_the_border_leaves_a_whole_frame(mode: str, left: float) -> None:
    frame = noise_frame(70, 100)
    composed = compose(frame, [made_landmarks(left=left)], Look(mode=mode), round_predictor())
    assert composed.image_bgr_u8.shape == frame.shape
    assert composed.mask_u8.shape == frame.shape[:2]
    if abs(left) == 400:
        assert np.array_equal(composed.image_bgr_u8, frame)
        assert not composed.mask_u8.any()


@pytest.mark.parametrize("side", [0.5, 2, 400])
@pytest.mark.parametrize("mode", FRAME_MODES)
def test_tiny_and_huge_faces_are_composed(mode: str, side: float) -> None:
    frame = noise_frame(40, 60)
    landmarks = made_landmarks(left=30 - side / 2, top=20 - side / 2, side=side)
    composed = compose(frame, [landmarks], Look(mode=mode), round_predictor())
    assert composed.image_bgr_u8.shape == frame.shape


def test_two_faces_that_overlap_are_both_seen_and_the_mask_stays_in_range() -> None:
    frame = noise_frame(80, 120)
    faces = [made_landmarks(left=30), made_landmarks(left=42)]
    look = Look(color_transfer_mode="none")
    both = compose(frame, faces, look, round_predictor()).mask_u8
    single = [compose(frame, [face], look, round_predictor()).mask_u8 for face in faces]
    assert (both >= np.maximum(*single)).all()
    assert both.max() == 255


@pytest.mark.parametrize(
    "setting",
    ["image_denoise_power", "bicubic_degrade_power", "color_degrade_power"],
)
def test_degrading_reaches_the_frame_far_from_the_face(setting: str) -> None:
    frame = noise_frame(80, 160)
    look = replace(Look(), **{setting: 90})
    composed = compose(frame, [made_landmarks(left=20)], look, round_predictor())
    assert not np.array_equal(composed.image_bgr_u8[:, -10:], frame[:, -10:])


def test_a_larger_face_scale_gives_a_smaller_face() -> None:
    frame = noise_frame(80, 120)
    areas = [
        int(
            (
                compose(
                    frame, [made_landmarks()], Look(output_face_scale=scale), round_predictor()
                ).mask_u8
                > 127
            ).sum()
        )
        for scale in (-20, 0, 20)
    ]
    assert areas[0] > areas[1] > areas[2]
