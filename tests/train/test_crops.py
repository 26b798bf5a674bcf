"""Faces of another type brought to a model's crop, pixel for pixel as DeepFaceLab's trainer does."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.train.crops import CropKind, make_crop
from tests.support.shared import shared_path


@pytest.mark.parametrize("case", range(3))
def test_a_face_of_another_type_is_cut_with_replicated_edges_and_its_mask_with_black_ones(
    case: int,
) -> None:
    folder = shared_path("golden", "geometry")
    change = json.loads((folder / "index.json").read_text())["changes"][case]
    wanted = np.load(folder / "change.npz", allow_pickle=False)
    data = FaceData(FaceType.from_dfl(change["from_type"]), wanted[f"{case}_landmarks_in"])
    kind = CropKind(FaceType.from_dfl(change["to_type"]), change["to_size"])
    crop = make_crop((folder / f"change_{case}_src.png").read_bytes(), data, kind, "face")
    picture = crop.image_bgr_u8[::2, ::2] / 255 - wanted[f"{case}_sample_img_cubic_replicate"]
    mask = crop.mask_u8 / 255 - wanted[f"{case}_sample_mask_linear_constant"]
    # Another OpenCV alone changes 4 levels at most and 0.2 in the mean.
    assert np.abs(picture).max() <= 5 / 255
    assert np.abs(picture).mean() < 0.3 / 255
    assert np.abs(mask).max() < 0.03
    assert np.abs(mask).mean() < 1e-3
