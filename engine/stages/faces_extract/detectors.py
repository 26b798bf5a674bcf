"""The detector and the landmarker that the settings mean, and the user's weights they need.

Imports no TensorFlow before one is built that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.detect.detection import Detection, FaceDetector, Landmarker
from engine.detect.search import SECOND_VIEWS, FaceSearch
from engine.detect.tracks import SURE_ALONE
from engine.detect.weight_files import USER_FILES
from engine.faces.dfl_weights import find_weights, read_dfl_weights
from engine.protocol.workspace import Workspace
from engine.stages.faces_extract.records import CutSettings, FindSettings

# By the option's value ("s3fd", "2dfan" ...): tensors by name.
Weights = Mapping[str, Mapping[str, NDArray[np.float32]]]

# Many of them can work side by side.
_WITHOUT_TENSORFLOW = ("dlib-hog", "dlib-cnn")
# A face behind a hand has this and more, where nothing else is in sight.
HOG_EXPECTED_SCORE = -0.3
# From which score on a face counts that was found only in a doubled or turned picture. HOG's own
# threshold is 0, and in turned pictures false faces reach 0.3.
_SURE_SCORES = {"mtcnn": SURE_ALONE, "dlib-hog": 0.3, "dlib-cnn": 0.3}


def needs_tensorflow(settings: FindSettings) -> bool:
    """Whether the detector runs in TensorFlow."""
    return settings.detector not in _WITHOUT_TENSORFLOW


def is_large(face: Detection, settings: FindSettings) -> bool:
    """Whether the face is of the size that is asked for."""
    return min(face.width_px, face.height_px) >= settings.min_face_size_px


def read_weights(settings: CutSettings, given: str, workspace: Workspace) -> Weights:
    """The weights that the settings need. given: the folder to look in, or "".

    Raises `InputError` saying where to put a file that is not there, or what is wrong with it.
    """
    wanted = [one for one in (settings.find.detector, settings.landmarks) if one in USER_FILES]
    found = {one: find_weights(USER_FILES[one], given, (workspace.models,)) for one in wanted}
    return {one: read_dfl_weights(path) for one, path in found.items()}


def detector_of(settings: FindSettings, weights: Weights) -> FaceDetector:
    """The detector. Raises `InputError` for weights of another net."""
    if settings.detector == "dlib-hog":
        from engine.detect.dlib_hog import HogDetector

        return HogDetector(upsample=settings.hog_upsample)
    if settings.detector == "dlib-cnn":
        from engine.detect.dlib_cnn import CnnDetector

        return CnnDetector(upsample=settings.cnn_upsample)
    if settings.detector == "s3fd":
        from engine.detect.s3fd import S3fdDetector
        from engine.detect.s3fd_net import s3fd_net

        return S3fdDetector(s3fd_net(weights["s3fd"]), min_score=settings.s3fd_min_score)
    from engine.detect.mtcnn import MtcnnDetector

    return MtcnnDetector(min_score=settings.min_score)


def close_up_detector_of(settings: FindSettings, detector: FaceDetector) -> FaceDetector:
    """What looks for a face where one is expected. detector: the one that searches whole frames."""
    if settings.detector == "dlib-hog":
        from engine.detect.dlib_hog import HogDetector

        return HogDetector(upsample=1, min_score=HOG_EXPECTED_SCORE)
    return detector


def landmarker_of(
    settings: CutSettings, weights: Weights, detector: FaceDetector
) -> Landmarker | None:
    """The landmarker, if it is one that works ahead of those who cut the faces out."""
    if settings.landmarks not in USER_FILES:
        return None
    from engine.detect.fan import FanLandmarker
    from engine.detect.fan_net import fan_net

    net = fan_net(weights[settings.landmarks], USER_FILES[settings.landmarks])
    return FanLandmarker(net, detector if settings.second_pass else None)


def face_search(
    detector: FaceDetector,
    settings: FindSettings,
    between_views: Callable[[], None] = lambda: None,
) -> FaceSearch:
    """The search that the settings describe, with that detector."""
    # S3FD halves what it is shown; DFL trusts it as much in turned pictures as in others.
    halved = settings.detector == "s3fd"
    return FaceSearch(
        detector,
        detection_size_px=settings.detection_size_px * (2 if halved else 1),
        second_views=SECOND_VIEWS[settings.rotations],
        sure_score=_SURE_SCORES.get(settings.detector, settings.s3fd_min_score),
        between_views=between_views,
    )
