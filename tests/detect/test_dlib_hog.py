from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from engine.detect.boxes import overlaps
from engine.detect.dlib_hog import HogDetector
from tests.detect.media import still
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow  # starts processes or nets


@pytest.mark.parametrize("name", ["2007_007763.jpg", "2008_002079.jpg", "2008_001322.jpg"])
def test_hand_drawn_boxes_are_found_once_each(name: str) -> None:
    text = shared_path("media", "stills", "face_boxes.json").read_text()
    truth = np.array([face["box"] for face in json.loads(text)["images"][name]], float)
    found = np.array([face.box_ltrb for face in HogDetector(upsample=1).detect([still(name)])[0]])
    shared = overlaps(truth, found) > 0.4
    assert shared.sum() == len(truth) == len(found)
    assert shared.any(axis=0).all()


def test_the_detector_comes_without_tensorflow() -> None:
    program = (
        "import sys, engine.detect.dlib_hog, engine.detect.landmarks68,"
        " engine.stages.faces_extract.run, engine.stages.faces_extract.cut;"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
