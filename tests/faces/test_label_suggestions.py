"""Suggested polygons: few points, where the face is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.faces.label_suggestions import (
    refine_by_grabcut,
    suggest_from_landmarks,
    suggest_to_hairline,
)
from engine.faces.masks import Mask, Polygon, hull_mask, polygons_mask
from engine.protocol.errors import InputError
from tests.faces.landmarks import front_face

SIDE_PX = 256
SHAPE_HW = (SIDE_PX, SIDE_PX)
LANDMARKS = front_face(unit_px=102.0, at=(75.0, 110.0))
SKIN_BGR, HAIR_BGR, GROUND_BGR, MIC_BGR = (120, 150, 200), (30, 40, 50), (150, 140, 130), (20,) * 3


def drawn_face(hair_line_y: int, ground_bgr: tuple[int, ...] = GROUND_BGR) -> NDArray[np.uint8]:
    """A skin-coloured ellipse with a cap of hair down to a row, and a little noise."""
    picture = np.full((*SHAPE_HW, 3), ground_bgr, np.uint8)
    cv2.ellipse(picture, (125, 140), (66, 96), 0, 0, 360, SKIN_BGR, -1)
    hair = np.zeros(SHAPE_HW, np.uint8)
    cv2.ellipse(hair, (125, 130), (76, 110), 0, 180, 360, 1, -1)
    hair[hair_line_y:] = 0
    picture[hair > 0] = HAIR_BGR
    noise = np.random.default_rng(0).integers(-6, 7, picture.shape)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


def iou(one: Mask, other: Mask) -> float:
    both, either = np.minimum(one, other).sum(), np.maximum(one, other).sum()
    return float(both / either)


def test_the_suggestion_from_landmarks_is_the_hull_in_few_points() -> None:
    (polygon,) = suggest_from_landmarks(LANDMARKS)
    assert polygon.is_include
    assert 8 <= len(polygon.points_xy) <= 40
    mask = polygons_mask(SHAPE_HW, [polygon])
    assert iou(mask, hull_mask(SHAPE_HW, LANDMARKS)) > 0.97


def test_the_suggestion_does_not_depend_on_where_and_how_large_the_face_is() -> None:
    here = suggest_from_landmarks(LANDMARKS)[0].points_xy
    there = suggest_from_landmarks(LANDMARKS * 4 - 300)[0].points_xy
    mask = polygons_mask(SHAPE_HW, [Polygon(True, ((there + 300) / 4).astype(np.float32))])
    assert iou(mask, polygons_mask(SHAPE_HW, [Polygon(True, here)])) > 0.97


@pytest.mark.parametrize("hair_line_y", [65, 80])
def test_the_forehead_ends_at_the_hair(hair_line_y: int) -> None:
    (polygon,) = suggest_to_hairline(drawn_face(hair_line_y), LANDMARKS)
    mask = polygons_mask(SHAPE_HW, [polygon])
    top = int(np.flatnonzero(mask[:, 125])[0])
    assert abs(top - hair_line_y) <= 5
    assert len(polygon.points_xy) <= 60


def test_without_hair_to_be_seen_the_forehead_has_a_bound() -> None:
    plain = np.full((*SHAPE_HW, 3), SKIN_BGR, np.uint8)
    (polygon,) = suggest_to_hairline(plain, LANDMARKS)
    third_px = LANDMARKS[33, 1] - LANDMARKS[17:27, 1].mean()
    lifted_px = LANDMARKS[17:27, 1].mean() - polygon.points_xy[:, 1].min()
    assert 0.7 * third_px < lifted_px < 1.4 * third_px


def test_grabcut_draws_a_coarse_polygon_to_the_face_s_edge() -> None:
    picture = drawn_face(70)
    truth = (np.abs(picture.astype(int) - SKIN_BGR).max(axis=2) < 12).astype(np.float32)
    corners = [(66, 70), (184, 70), (196, 130), (170, 205), (125, 242), (80, 205), (54, 130)]
    coarse = Polygon(True, np.array(corners, np.float32))
    refined = refine_by_grabcut(picture, [coarse])
    assert iou(polygons_mask(SHAPE_HW, refined), truth) > 0.95
    assert iou(polygons_mask(SHAPE_HW, [coarse]), truth) < 0.92
    assert all(len(polygon.points_xy) <= 60 for polygon in refined)


def test_grabcut_cuts_out_what_lies_over_the_face() -> None:
    picture = drawn_face(70)
    cv2.line(picture, (140, 190), (200, 255), MIC_BGR, 16)
    cv2.circle(picture, (140, 190), 18, MIC_BGR, -1)
    refined = polygons_mask(
        SHAPE_HW, refine_by_grabcut(picture, suggest_to_hairline(picture, LANDMARKS))
    )
    assert refined[190, 140] == 0
    assert refined[150, 100] == 1


def test_a_large_island_of_another_colour_becomes_an_exclude_polygon() -> None:
    picture = drawn_face(70, ground_bgr=MIC_BGR)
    cv2.circle(picture, (125, 160), 30, MIC_BGR, -1)
    refined = refine_by_grabcut(picture, suggest_to_hairline(picture, LANDMARKS))
    assert [polygon.is_include for polygon in refined] == [True, False]
    assert polygons_mask(SHAPE_HW, refined)[160, 125] == 0


def test_what_was_drawn_to_be_excluded_stays_excluded() -> None:
    small = Polygon(False, np.array([(110, 150), (122, 150), (116, 165)], np.float32))
    picture = drawn_face(70)
    refined = refine_by_grabcut(picture, [*suggest_to_hairline(picture, LANDMARKS), small])
    assert refined[-1] is small
    assert [polygon.is_include for polygon in refined] == [True, False]


def box(*ltrb: int) -> Polygon:
    left, top, right, bottom = ltrb
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return Polygon(True, np.array(corners, np.float32))


@pytest.mark.parametrize(
    "polygons",
    [
        (),
        (Polygon(True, np.empty((0, 2), np.float32)),),
        (box(100, 100, 101, 101),),
        (box(0, 0, 256, 256),),
        (box(0, 0, 256, 254),),
        (box(0, 0, 3000, 3000), box(-50, -50, -10, -10)),
    ],
    ids=["none", "no points", "a few pixels", "all", "all but a row", "outside"],
)
def test_where_there_is_nothing_to_learn_from_grabcut_gives_back_what_was_given(
    polygons: tuple[Polygon, ...],
) -> None:
    assert refine_by_grabcut(drawn_face(70), polygons) == polygons


def test_grabcut_gives_the_same_polygons_every_time() -> None:
    picture = drawn_face(70)
    drawn = suggest_to_hairline(picture, LANDMARKS)
    first, second = refine_by_grabcut(picture, drawn), refine_by_grabcut(picture, drawn)
    assert [p.points_xy.tolist() for p in first] == [p.points_xy.tolist() for p in second]


def test_landmarks_that_are_no_face_are_refused() -> None:
    with pytest.raises(InputError, match="68"):
        suggest_from_landmarks(np.zeros((5, 2)))
    with pytest.raises(InputError, match="one point"):
        suggest_to_hairline(drawn_face(70), np.zeros((68, 2)))
