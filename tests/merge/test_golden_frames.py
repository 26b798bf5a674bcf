"""Merged frames against DeepFaceLab's, with its fake predictor.

Tolerances are those of the reference's README.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.merge.compose import compose
from tests.merge.fakes import golden_predictor
from tests.merge.golden_frames import golden_frame, supported_configurations

# Masks with hard edges: OpenCV 4 rounds places to 1/32 px, OpenCV 5 less; it shows at edges only.
HARD_EDGED = ("full", "dst")
NAMES = [
    "default_overlay",
    "original",
    "rawrgb",
    "rawpredict",
    "mask0",
    "mask1",
    "mask2",
    "mask3",
    "mask4",
    "mask5",
    "ero12_blur0",
    "ero-17_blur9",
    "ero0_blur30",
    "ero25_blur44",
    "ero-60_blur101",
    "ct_rct",
    "scale-20",
    "scale13",
    "scale40",
    "type_wf",
    "type_half",
    "type_head",
    "two_faces",
    "vanish_erode",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_merged_frame_agrees_with_the_reference(name: str) -> None:
    golden = golden_frame(supported_configurations()[name])
    composed = compose(
        golden.frame_bgr_u8, golden.landmarks, golden.look, golden_predictor(golden.face_type)
    )
    off = np.abs(composed.image_bgr_u8.astype(int) - golden.image_bgr_u8)
    assert off.mean() <= 0.4
    assert (off.max(axis=2) > 3).mean() <= 0.005
    mask_off = np.abs(composed.mask_u8.astype(int) - golden.mask_u8)
    if golden.look.mask_mode in HARD_EDGED:
        assert mask_off.max() <= 6
        assert (mask_off > 2).mean() <= 0.005
    else:
        assert mask_off.max() <= 2


def test_no_supported_reference_frame_is_left_out() -> None:
    assert sorted(supported_configurations()) == sorted(NAMES)
