"""Outlines: a mask and the polygons made of it say the same."""

from __future__ import annotations

import numpy as np

from engine.faces.mask_outlines import largest_outline, region_polygons, smooth_outline
from engine.faces.masks import polygons_mask


def test_parts_and_holes_of_a_mask_come_back_from_their_polygons() -> None:
    region = np.zeros((100, 120), np.uint8)
    region[10:80, 10:70] = 1
    region[30:50, 20:40] = 0
    region[20:60, 90:110] = 1
    region[95:97, 3:5] = 1  # too small to be told
    polygons = region_polygons(region, 0.5, smallest_part_px=20, smallest_hole_px=20)
    assert [polygon.is_include for polygon in polygons] == [True, True, False]
    painted = polygons_mask(region.shape, polygons)
    region[95:97, 3:5] = 0
    # The outline of a hole runs through the pixels around it, which an exclude polygon covers.
    assert np.abs(painted - region).sum() <= 2 * (20 + 20) + 4


def test_a_ragged_outline_has_sixty_points_at_most() -> None:
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius = 60 + 12 * np.sin(45 * turn)
    y, x = np.mgrid[:200, :200]
    angle = np.arctan2(y - 100, x - 100) % (2 * np.pi)
    region = (np.hypot(x - 100, y - 100) < np.interp(angle, turn, radius)).astype(np.uint8)
    (polygon,) = region_polygons(region, 0.1, 10, 10)
    assert len(polygon.points_xy) <= 60


def test_smoothing_rounds_corners_and_keeps_the_middle() -> None:
    square = np.array([(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)])
    smooth = smooth_outline(square, 0.02)
    assert np.allclose(smooth.mean(axis=0), 50, atol=0.5)
    assert np.abs(smooth - 50).max() <= 50
    assert np.hypot(*(smooth - 50).T).max() < 68


def test_nothing_has_no_outline() -> None:
    assert largest_outline(np.zeros((5, 5), np.uint8)).shape == (0, 2)
    assert region_polygons(np.zeros((5, 5), np.uint8), 1, 0, 0) == ()
