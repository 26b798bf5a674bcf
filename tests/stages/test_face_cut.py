"""Faces cut out of their frames, pixel for pixel as DeepFaceLab cuts them, and as it meant to."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.detect.detection import Detection, Landmarks68
from engine.faces.face_type import FaceType
from engine.media.images import write_image
from engine.stages.faces_extract.cut import CutJob, Cutter
from engine.stages.faces_extract.face_cut import Crop, cut_face
from engine.stages.faces_extract.records import CutSettings, FindSettings
from tests.faces.landmarks import front_face
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


@pytest.mark.parametrize("face_type", ["f", "wf", "head"])
def test_landmarks_far_larger_than_the_detectors_box_are_no_face(
    face_type: str, tmp_path: Path
) -> None:
    write_image(tmp_path / "00001.png", np.full((480, 640, 3), 90, np.uint8))
    find = FindSettings("mtcnn", "none", 640, 20, 0.8, 1)
    settings = CutSettings(find, face_type, 0, 128, 90, False, "lanczos", landmarks="2dfan")
    faces = (Detection((195, 140, 310, 260), 0.9), Detection((520, 170, 580, 230), 0.9))
    points = (front_face(100, (200, 150)), front_face(100, (500, 150)))
    job = CutJob(tmp_path / "00001.png", faces, 0, "", tuple(Landmarks68(p, None) for p in points))
    done = Cutter(settings, tmp_path, tmp_path).finish(job)
    assert [cut.file for cut in done.faces] == ["00001_0.jpg"]
    assert done.dropped == 1
