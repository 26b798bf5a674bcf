from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.detect.detection import Detection, ImageBgrU8
from engine.detect.search import SECOND_VIEWS, FaceSearch, View, shown_in
from tests.detect.media import clip_frames, mtcnn, turned

pytestmark = pytest.mark.slow


def _search(views: str, size_px: int = 640) -> FaceSearch:
    return FaceSearch(
        mtcnn(), detection_size_px=size_px, second_views=SECOND_VIEWS[views], sure_score=0.95
    )


class _Marker:
    """Finds the bright square in a picture, whatever the size and turn."""

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]:
        found = []
        for image in images_bgr_u8:
            y, x = np.nonzero(image[..., 0] > 128)
            middle = np.array([[x.mean(), y.mean()]])
            box = (float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
            found.append([Detection(box, 1.0, np.repeat(middle, 5, axis=0))])
        return found


class _BlindAtFirst(_Marker):
    """Finds nothing in the first view."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]:
        self.calls += 1
        if self.calls == 1:
            return [[] for _ in images_bgr_u8]
        return super().detect(images_bgr_u8)


def test_a_large_frame_is_searched_small_and_its_faces_are_told_in_its_own_pixels() -> None:
    (frame,) = clip_frames("pairB_dst.mp4", [0])
    (faces,) = _search("none").detect([frame])
    assert len(faces) == 1
    np.testing.assert_allclose(faces[0].box_ltrb, (658, 102, 882, 394), atol=12)


@pytest.mark.parametrize("degrees", [90, -90])
def test_a_face_lying_on_its_side_is_found_in_the_second_views_alone(degrees: int) -> None:
    (frame,) = clip_frames("pairA_src.mp4", [0])
    canvas, matrix = turned(frame, degrees)
    assert _search("none").detect([canvas]) == [[]]
    ((face,),) = _search("all").detect([canvas])
    truth = matrix[:, :2] @ (241, 260) + matrix[:, 2]
    left, top, right, bottom = face.box_ltrb
    np.testing.assert_allclose(((left + right) / 2, (top + bottom) / 2), truth, atol=30)
    assert face.turned_deg != 0


@pytest.mark.parametrize("view", SECOND_VIEWS["all"])
def test_what_a_view_finds_is_told_where_it_is_in_the_frame(view: View) -> None:
    frame = np.zeros((300, 420, 3), np.uint8)
    cv2.rectangle(frame, (100, 200), (129, 229), (255, 255, 255), cv2.FILLED)
    search = FaceSearch(
        _BlindAtFirst(), detection_size_px=210, second_views=(view,), sure_score=0.5
    )
    ((face,),) = search.detect([frame])
    assert face.five_points is not None
    np.testing.assert_allclose(face.five_points, np.full((5, 2), (114.5, 214.5)), atol=1.5)
    middle = np.mean(np.reshape(face.box_ltrb, (2, 2)), axis=0)
    np.testing.assert_allclose(middle, (115, 215), atol=2)


def test_a_doubtful_find_in_a_second_view_does_not_count() -> None:
    frame = np.full((100, 100, 3), 255, np.uint8)
    search = FaceSearch(
        _BlindAtFirst(), detection_size_px=100, second_views=SECOND_VIEWS["all"], sure_score=1.1
    )
    assert search.detect([frame]) == [[]]


def test_a_view_that_is_turned_holds_the_whole_frame() -> None:
    frame = np.full((100, 300, 3), 255, np.uint8)
    shown, matrix = shown_in(frame, View(turn_deg=30), 640)
    corners = np.array([[0, 0], [299, 0], [299, 99], [0, 99]]) @ matrix[:, :2].T + matrix[:, 2]
    assert corners.min() >= -1
    assert (corners <= (shown.shape[1], shown.shape[0])).all()


def test_stopping_between_views_stops_the_search() -> None:
    class Enough(Exception):
        pass

    def stop() -> None:
        raise Enough

    search = FaceSearch(
        _Marker(), detection_size_px=9, second_views=(), sure_score=1, between_views=stop
    )
    with pytest.raises(Enough):
        search.detect([np.zeros((9, 9, 3), np.uint8)])


class _Seen:
    """Finds a face in pictures turned by 90 degrees that are not black."""

    def __init__(self) -> None:
        self.pictures = 0

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]:
        self.pictures += len(images_bgr_u8)
        is_there = [image.any() and image.shape[0] > image.shape[1] for image in images_bgr_u8]
        return [[Detection((0.0, 0.0, 9.0, 9.0), 1.0)] if there else [] for there in is_there]


def _found_in(detector: _Seen, shade: int, *, is_shot: bool) -> list[int]:
    search = FaceSearch(
        detector, detection_size_px=40, second_views=SECOND_VIEWS["all"], sure_score=0.5
    )
    frames = [np.full((30, 40, 3), shade, np.uint8) for _ in range(8)]
    follow = [is_shot and number > 0 for number in range(8)]
    return [len(faces) for faces in search.detect(frames, follow)]


def test_of_a_shot_without_faces_one_frame_in_four_is_looked_at_again() -> None:
    stills, shot = _Seen(), _Seen()
    assert _found_in(stills, 0, is_shot=False) == [0] * 8
    assert _found_in(shot, 0, is_shot=True) == [0] * 8
    assert (stills.pictures, shot.pictures) == (8 + 8 * 6, 8 + 2 * 6)


def test_all_frames_of_a_shot_are_looked_at_as_a_face_is_found_in_one() -> None:
    assert _found_in(_Seen(), 200, is_shot=True) == [1] * 8
