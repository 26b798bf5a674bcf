from __future__ import annotations

import numpy as np
import pytest

from engine.detect.boxes import overlaps
from engine.detect.detection import Detection
from engine.detect.dlib_cnn import CnnDetector
from tests.detect.media import annotated_stills, landmarker, still

# In % of the root of the face's area; 2.9 to 3.3 below 45 degrees of yaw, 9.3 in profile.
MAX_ERROR, MAX_PROFILE_ERROR = 4.0, 11.0


@pytest.fixture(scope="module")
def cnn() -> CnnDetector:
    return CnnDetector()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("upsample", "files"), [(0, ("image00516.jpg", "image02420.jpg")), (1, ("image02420.jpg",))]
)
def test_landmarks_in_its_boxes_are_the_annotated_ones_of_turned_heads_too(
    upsample: int, files: tuple[str, ...]
) -> None:
    cnn = CnnDetector(upsample=upsample)
    for facts in annotated_stills():
        if facts["file"] not in files:
            continue
        image, truth = still(facts["file"]), np.array(facts["landmarks"])
        [face] = cnn.detect([image])[0]
        found = landmarker().landmarks(image, face)
        assert found is not None
        left, top, right, bottom = facts["face_box"]
        size_px = np.sqrt((right - left) * (bottom - top))
        error = 100 * np.hypot(*(found.points - truth)[17:].T).mean() / size_px
        is_profile = abs(facts["pose_deg"]["yaw"]) > 60
        assert error < (MAX_PROFILE_ERROR if is_profile else MAX_ERROR), facts["file"]


def test_boxes_lie_around_the_face_best_first(cnn: CnnDetector) -> None:
    [takeo] = [one for one in annotated_stills() if one["file"] == "takeo.jpg"]
    faces: list[Detection] = CnnDetector(upsample=1).detect([still("takeo.jpg")])[0]
    assert [face.score for face in faces] == sorted((f.score for f in faces), reverse=True)
    shared = overlaps(np.array([faces[0].box_ltrb]), np.array([takeo["face_box"]], float))
    assert shared[0, 0] > 0.5


@pytest.mark.parametrize("shape_hw", [(1, 1), (15, 300), (64, 64)])
def test_pictures_without_faces_or_smaller_than_one_give_none(
    cnn: CnnDetector, shape_hw: tuple[int, int]
) -> None:
    assert cnn.detect([np.full((*shape_hw, 3), 90, np.uint8)]) == [[]]
