"""Faces of another type brought to a model's crop, as DeepFaceLab's trainer does."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.train.crops import CropKind, make_crop
from tests.faces.face_files import face_data, picture
from tests.support.shared import shared_path


@pytest.mark.parametrize("case", range(3))
def test_a_face_of_another_type_is_cut_as_DeepFaceLab_cuts_it(case: int) -> None:
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


def test_around_a_face_its_edge_goes_on_and_its_mask_ends() -> None:
    edge = picture().copy()
    edge[0], edge[-1], edge[:, 0], edge[:, -1] = 4 * [200]
    face = cv2.imencode(".png", edge)[1].tobytes()
    data = face_data(xseg_mask_compressed=bytes_from_mask(np.ones((64, 64), np.float32)))
    crop = make_crop(face, data, CropKind(FaceType.HEAD, 96), "face")
    for corner in ((0, 0), (0, 95), (95, 0), (95, 95)):
        assert crop.image_bgr_u8[corner].tolist() == [200, 200, 200]
        assert crop.mask_u8[corner] == 0
