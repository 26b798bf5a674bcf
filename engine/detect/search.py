"""Where in a picture, at which size and turn, faces are looked for.

A detector sees the picture as it is. `FaceSearch` shows it frames scaled to one size, and once more
doubled and turned where nothing sure was found (a face on its side may be found unsurely as one
that stands), and gives all finds in the frame's pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detect.boxes import clipped, overlaps
from engine.detect.dark_pictures import brightened
from engine.detect.detection import BoxLtrb, Detection, FaceDetector, ImageBgrU8
from engine.faces.alignment import invert_affine, transform_points

# Of so many frames of a shot without a face one is looked at in all views: a scene without people
# takes a third of the time, and who lies on the floor does so for longer.
PROBED_FRAMES = 4
SAME_PLACE_OVERLAP = 0.5  # of the smaller box
# A close-up shows 1.5 box sides to each side of an expected face, which then is 96 px large.
CLOSE_UP = 1.5
CLOSE_UP_FACE_PX = 96.0
CLOSE_UP_OVERLAP = 0.4
EDGE_REPEATED = 0.75  # in sides of the face
_CLOSE_UP_VIEWS = (
    *((1.0, 0), (1.0, 30), (1.0, -30), (1.6, 0), (1.6, 20), (1.6, -20)),
    *((1.0, 45), (1.0, -45)),
)


@dataclass(frozen=True)
class View:
    """How a frame is shown to the detector: enlarged, and turned counter-clockwise."""

    enlargement: float = 1.0
    turn_deg: int = 0


FIRST_VIEW = View()
# Found of 14 tilted faces: 10 as they are, 14 doubled or turned by 30. Then DFL's quarter turns.
_TILTED = (View(enlargement=2.0), View(turn_deg=30), View(turn_deg=-30))
_QUARTERS = (View(turn_deg=90), View(turn_deg=-90), View(turn_deg=180))
SECOND_VIEWS: dict[str, tuple[View, ...]] = {
    "none": (),
    "tilt": _TILTED,
    "all": _TILTED + _QUARTERS,
}


class FaceSearch:
    """A `FaceDetector` for frames of any size.

    detection_size_px: the frame's longer side as the detector sees it; smaller frames stay as they
    are. second_views: tried where nothing sure was found; what counts is the one that shows a face
    best. sure_score: a face found in a second view counts from this score on, since every further
    view is one more chance for a false one. between_views: called before each view; it may raise to
    stop.
    """

    def __init__(
        self,
        detector: FaceDetector,
        *,
        detection_size_px: int,
        second_views: Sequence[View],
        sure_score: float,
        between_views: Callable[[], None] = lambda: None,
    ) -> None:
        self._detector = detector
        self._detection_size_px = detection_size_px
        self._second_views = tuple(second_views)
        self._sure_score = sure_score
        self._between_views = between_views

    def detect(
        self, images_bgr_u8: list[ImageBgrU8], follow: Sequence[bool] = ()
    ) -> list[list[Detection]]:
        """The faces of each picture in its own pixels, largest first.

        follow: for each picture whether it goes on with the shot of the one before; nothing means
        that none does. Of pictures in a row that show no sure face one in four is looked at in all
        second views, and the others in the one that shows a face there.
        """
        found = self._in_view(images_bgr_u8, FIRST_VIEW)
        follow = follow or [False] * len(images_bgr_u8)
        probes = _probes([not self._is_any_sure(faces) for faces in found], follow)
        for view, places in self._best_views(images_bgr_u8, list(probes)).items():
            every = [one for place in places for one in (place, *probes[place])]
            again = self._in_view([images_bgr_u8[place] for place in every], view)
            for place, faces in zip(every, again, strict=True):
                found[place] = self._with_sure(found[place], faces)
        return [sorted(faces, key=lambda face: -face.area_px) for faces in found]

    def _best_views(self, images: list[ImageBgrU8], places: list[int]) -> dict[View, list[int]]:
        """The second views that show a face best, and in which of those pictures they do."""
        best = dict.fromkeys(places, (self._sure_score, FIRST_VIEW))
        for view in self._second_views if places else ():
            again = self._in_view([images[place] for place in places], view)
            for place, faces in zip(places, again, strict=True):
                score = max((face.score for face in faces), default=-np.inf)
                if score >= best[place][0]:
                    best[place] = (score, view)
        views: dict[View, list[int]] = {}
        for place, (_, view) in best.items():
            if view is not FIRST_VIEW:
                views.setdefault(view, []).append(place)
        return views

    def _with_sure(self, found: list[Detection], again: list[Detection]) -> list[Detection]:
        """What was found unsurely at the place of a sure face was it, seen from a wrong side."""
        sure = [face for face in again if face.score >= self._sure_score]
        return sure + _apart_from(sure, found)

    def _is_any_sure(self, faces: list[Detection]) -> bool:
        return any(face.score >= self._sure_score for face in faces)

    def _in_view(self, images: list[ImageBgrU8], view: View) -> list[list[Detection]]:
        self._between_views()
        shown = [shown_in(image, view, self._detection_size_px) for image in images]
        found = self._detector.detect([picture for picture, _ in shown])
        return [
            [_in_frame(face, view_from_frame, view.turn_deg, image) for face in faces]
            for faces, (_, view_from_frame), image in zip(found, shown, images, strict=True)
        ]


def _apart_from(faces: list[Detection], others: list[Detection]) -> list[Detection]:
    """Those of the others that lie elsewhere."""
    if not faces or not others:
        return others
    boxes, other_boxes = (np.array([face.box_ltrb for face in group]) for group in (faces, others))
    apart = overlaps(other_boxes, boxes, "smaller").max(axis=1) < SAME_PLACE_OVERLAP
    return [face for face, is_apart in zip(others, apart, strict=True) if is_apart]


def _probes(is_unsure: Sequence[bool], follow: Sequence[bool]) -> dict[int, list[int]]:
    """Pictures to look at again, and for each those after it that are like it."""
    probes: dict[int, list[int]] = {}
    probe: int | None = None
    for place, unsure in enumerate(is_unsure):
        if not unsure:
            probe = None
        elif probe is None or not follow[place] or len(probes[probe]) == PROBED_FRAMES - 1:
            probe = place
            probes[place] = []
        else:
            probes[probe].append(place)
    return probes


def face_at(
    detector: FaceDetector, image_bgr_u8: ImageBgrU8, expected_ltrb: BoxLtrb
) -> Detection | None:
    """The face near the expected box, looked for there alone, enlarged, in several views; None if
    there is none."""
    left, top, right, bottom = expected_ltrb
    side = max(right - left, bottom - top)
    part, low = _part_around(image_bgr_u8, ((left + right) / 2, (top + bottom) / 2), side)
    enlargement = CLOSE_UP_FACE_PX / max(side, 1.0)
    views = [View(enlargement * scale, turn) for scale, turn in _CLOSE_UP_VIEWS]
    for view in views:
        shown, view_from_part = shown_in(part, view, max(part.shape))
        faces = [
            _moved(_in_frame(face, view_from_part, view.turn_deg, part), low, image_bgr_u8)
            for face in detector.detect([shown])[0]
        ]
        if not faces:
            continue
        shared = overlaps(np.array([face.box_ltrb for face in faces]), np.array([expected_ltrb]))
        best = int(shared[:, 0].argmax())
        if shared[best, 0] >= CLOSE_UP_OVERLAP:
            return faces[best]
    return None


def _part_around(
    image_bgr_u8: ImageBgrU8, middle_xy: tuple[float, float], side_px: float
) -> tuple[ImageBgrU8, tuple[int, int]]:
    """What a close-up shows, and where its upper left corner lies. Beside the frame its edge is
    repeated, without which faces cut by it are hardly found."""
    low = [int(place - CLOSE_UP * side_px) for place in middle_xy]
    high = [max(low[axis] + 1, int(middle_xy[axis] + CLOSE_UP * side_px)) for axis in (0, 1)]
    inside_low = [min(max(0, low[axis]), image_bgr_u8.shape[1 - axis] - 1) for axis in (0, 1)]
    inside_high = [
        min(max(inside_low[axis] + 1, high[axis]), image_bgr_u8.shape[1 - axis]) for axis in (0, 1)
    ]
    part = image_bgr_u8[inside_low[1] : inside_high[1], inside_low[0] : inside_high[0]]
    most = int(EDGE_REPEATED * side_px)
    before = [min(most, max(0, inside_low[axis] - low[axis])) for axis in (0, 1)]
    after = [min(most, max(0, high[axis] - inside_high[axis])) for axis in (0, 1)]
    padded = cv2.copyMakeBorder(
        part, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE
    )
    return padded, (inside_low[0] - before[0], inside_low[1] - before[1])


def _moved(face: Detection, by_xy: tuple[int, int], image: ImageBgrU8) -> Detection:
    """The face moved, its box cut to the image."""
    points = None if face.five_points is None else face.five_points + np.array(by_xy)
    moved = np.array([face.box_ltrb]) + np.tile(by_xy, 2)
    left, top, right, bottom = clipped(moved, image.shape[1], image.shape[0])[0].tolist()
    return replace(face, box_ltrb=(left, top, right, bottom), five_points=points)


def shown_in(
    image_bgr_u8: ImageBgrU8, view: View, detection_size_px: int
) -> tuple[ImageBgrU8, NDArray[np.float64]]:
    """The picture as the view shows it, a dark one brightened, and the matrix (2, 3) from the
    picture to the view."""
    height_px, width_px = image_bgr_u8.shape[:2]
    scale = view.enlargement * min(1.0, detection_size_px / max(width_px, height_px))
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    matrix = np.array([[size[0] / width_px, 0.0, 0.0], [0.0, size[1] / height_px, 0.0]])
    shown = image_bgr_u8
    if size != (width_px, height_px):
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        shown = cv2.resize(image_bgr_u8, size, interpolation=way)
    shown = brightened(shown)
    if not view.turn_deg:
        return shown, matrix
    turn, turned_size = _turn(size, view.turn_deg)
    turned = cv2.warpAffine(shown, turn, turned_size, flags=cv2.INTER_LINEAR)
    return turned, np.hstack([turn[:, :2] @ matrix[:, :2], turn[:, 2:]])


def _turn(size: tuple[int, int], degrees: int) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The matrix that turns a picture of that size counter-clockwise into one that holds it all."""
    radians = np.radians(degrees)
    cosine, sine = float(abs(np.cos(radians))), float(abs(np.sin(radians)))
    width, height = size
    turned_size = (
        round(width * cosine + height * sine),
        round(width * sine + height * cosine),
    )
    # Centres of pixels: the middle of a picture of w pixels is (w - 1) / 2.
    middle = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    matrix[:, 2] += ((turned_size[0] - 1) / 2 - middle[0], (turned_size[1] - 1) / 2 - middle[1])
    return np.asarray(matrix), turned_size


def _in_frame(
    face: Detection, view_from_frame: NDArray[np.float64], turn_deg: int, image: ImageBgrU8
) -> Detection:
    """The face as found in the view, in the frame's pixels; a turned box becomes the upright one of
    the same size around the same middle, cut to the frame."""
    frame_from_view = invert_affine(view_from_frame)
    points = face.five_points
    in_frame = None if points is None else transform_points(points, frame_from_view)
    left, top, right, bottom = face.box_ltrb
    middle = transform_points(
        np.array([[(left + right) / 2, (top + bottom) / 2]]), frame_from_view
    )[0]
    scale = float(np.sqrt(abs(np.linalg.det(frame_from_view[:, :2]))))
    half = np.array([right - left, bottom - top]) * scale / 2
    if turn_deg % 180 == 90:
        half = half[::-1]
    limit = np.array([image.shape[1], image.shape[0]], dtype=np.float64)
    low, high = np.clip(middle - half, 0, limit), np.clip(middle + half, 0, limit)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return replace(face, box_ltrb=box, five_points=in_frame, turned_deg=turn_deg)
