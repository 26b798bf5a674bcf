"""Faces cut out of their frames, pixel for pixel as DeepFaceLab cuts them, and as it meant to."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.stages.faces_extract.face_cut import Crop, cut_face
from tests.support.shared import shared_path

# Largest and mean difference in levels. Another OpenCV alone changes 4 and 0.2 of bilinear cuts;
# Lanczos's differ where 1e-5 px are rounded to another of 32 places between pixels.
TOLERANCES = {"bilinear": (5, 0.3), "lanczos": (3, 0.001)}
CUTS = {"bilinear": 18, "lanczos": 3}  # so many reference pictures there are


@pytest.mark.parametrize("way", CUTS)
def test_a_face_is_cut_as_DeepFaceLab_cuts_it_and_as_it_meant_to(way: str) -> None:
    folder = shared_path("golden", "geometry")
    landmarks = np.load(folder / "geometry.npz", allow_pickle=False)["landmarks"]
    ending = {"bilinear": "extractor", "lanczos": "lanczos"}[way]
    compared = 0
    for crop in json.loads((folder / "index.json").read_text())["crops"]:
        face, size_px, name = crop["face"], crop["size"], crop["face_type"]
        wanted = folder / f"face_{face:02d}_crop_{name}_{size_px}_{ending}.png"
        if not wanted.is_file():
            continue
        frame = cv2.imread(str(folder / f"face_{face:02d}_src.png"))
        kind = Crop(FaceType.from_dfl(name), size_px, way)
        picture, data = cut_face(frame, "frame.png", landmarks[face], (1, 2, 3, 4), kind)
        difference = np.abs(picture.astype(int) - cv2.imread(str(wanted)))
        largest, mean = TOLERANCES[way]
        assert difference.max() <= largest
        assert difference.mean() < mean
        assert data.face_type is kind.face_type
        compared += 1
    assert compared == CUTS[way]
