"""Where the forehead ends: the face's outline lifted from the brows up to the hair.

The picture is brought to a whole-face crop of fixed size, where rays fan out from between the eyes
over the forehead. Along each, skin is what looks like the face's own skin; the line through all
rays is the one that parts skin from the rest best while it stays smooth (Viterbi's algorithm).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import (
    Points,
    face_from_frame,
    invert_affine,
    transform_points,
)
from engine.faces.face_type import FaceType
from engine.faces.mask_outlines import Region, largest_outline
from engine.faces.masks import eyes_mask, hull_mask, mouth_mask
from engine.media.images import ImageU8

Floats = NDArray[np.float32]

CROP_PX = 192  # enough for a line that is smoothed anyway, and 3 ms a face
RAYS = 33
RADII = 64
# The thirds of a face: from the hair to the brows it is as far as from the brows to the nose's
# base. High foreheads reach a third further; beyond that no forehead is looked for.
_FURTHEST = 1.35
_USUAL = 0.95
_SIDE_WIDTH = 1.04  # of the jaw's half width: the line's furthest at the temples
_NOT_SKIN = 6.0  # squared distance in deviations of the skin, beyond which a pixel is not skin
_LARGEST_COST = 16.0
_PRIOR_COST = 6.0  # pull towards the usual height, in costs per squared share of the ray
_EDGE_REWARD = 10.0
_LARGEST_STEP = 4  # radii between neighbouring rays
_STEP_COST = 0.7


def forehead_outline(image_bgr_u8: ImageU8, landmarks_xy: Points) -> Points:
    """The face's outer outline (n, 2) in pixels of the picture, up to the hair.

    Without a hair line to be seen (a cap, strong shadow) it goes up to a forehead's usual height.
    Raises `InputError` for landmarks that are none.
    """
    crop_from_image = face_from_frame(landmarks_xy, CROP_PX, FaceType.WHOLE_FACE)
    crop_bgr_u8 = cv2.warpAffine(
        image_bgr_u8,
        crop_from_image,
        (CROP_PX, CROP_PX),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    landmarks = transform_points(landmarks_xy, crop_from_image)
    region = _face_region(np.asarray(crop_bgr_u8, np.uint8), landmarks)
    return transform_points(largest_outline(region), invert_affine(crop_from_image))


def _face_region(crop_bgr_u8: ImageU8, landmarks: Points) -> Region:
    hull = hull_mask((CROP_PX, CROP_PX), landmarks)
    centre, nearest, furthest = _fan(landmarks)
    share = np.linspace(0.0, 1.0, RADII)
    rays = nearest[:, None] + share[None, :, None] * (furthest - nearest)[:, None]
    distance = _skin_distance(crop_bgr_u8, landmarks, hull)
    along = cv2.remap(
        distance, rays.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    line = _best_line(_costs(np.asarray(along, np.float32)))
    lifted = rays[np.arange(RAYS), line]
    region = (hull > 0).astype(np.uint8)
    cv2.fillPoly(region, [np.rint(np.vstack([centre, lifted])).astype(np.int32)], (1,))
    return region


def _fan(landmarks: Points) -> tuple[Points, Points, Points]:
    """The fan's centre (2,), and where each ray begins and ends (rays, 2)."""
    centre = landmarks[27]
    brows, nose_base = landmarks[17:27].mean(axis=0), landmarks[33]
    up = brows - nose_base
    left, right = landmarks[0], landmarks[16]
    angle = np.linspace(0.0, np.pi, RAYS)[:, None]
    # Half ellipses from temple to temple: the inner through the brows, the outer at the bound.
    sideways = np.where(np.cos(angle) > 0, left - centre, right - centre) * np.abs(np.cos(angle))
    inner_up = np.maximum(0.15, np.dot(brows - centre, up) / np.dot(up, up)) * up
    outer_up = (brows - centre) + _FURTHEST * up
    nearest = centre + 0.85 * sideways + np.sin(angle) * inner_up
    furthest = centre + _SIDE_WIDTH * sideways + np.sin(angle) ** 0.7 * outer_up
    return centre, nearest, furthest


def _skin_distance(crop_bgr_u8: ImageU8, landmarks: Points, hull: Floats) -> Floats:
    """How far each pixel is from the face's own skin: squared, in deviations, cut off."""
    features = _features(crop_bgr_u8)
    shape_hw = (CROP_PX, CROP_PX)
    not_skin = eyes_mask(shape_hw, landmarks) + mouth_mask(shape_hw, landmarks)
    brows = np.rint(landmarks[17:27]).astype(np.int32)
    for brow in (brows[:5], brows[5:]):
        cv2.polylines(not_skin, [brow], isClosed=False, color=(1.0,), thickness=CROP_PX // 16)
    upper = np.arange(CROP_PX)[:, None] < landmarks[33, 1]  # beards and hands are further down
    skin = features[(hull > 0) & (not_skin < 0.05) & upper]
    if len(skin) < 50:
        skin = features[hull > 0] if hull.any() else features.reshape(-1, features.shape[-1])
    middle = np.median(skin, axis=0)
    deviation = 1.4826 * np.median(np.abs(skin - middle), axis=0)
    deviation = np.maximum(deviation, (9.0, 3.0, 3.5, 2.5))
    squared = (((features - middle) / deviation) ** 2).sum(axis=-1)
    return np.asarray(np.minimum(squared, _LARGEST_COST), np.float32)


def _features(crop_bgr_u8: ImageU8) -> Floats:
    """(h, w, 4): Lab, and how restless the lightness is (hair is, a forehead is not)."""
    lab = cv2.cvtColor(cv2.GaussianBlur(crop_bgr_u8, (0, 0), 1.0), cv2.COLOR_BGR2LAB)
    light = cv2.cvtColor(crop_bgr_u8, cv2.COLOR_BGR2GRAY).astype(np.float32)
    restless = cv2.GaussianBlur(np.abs(light - cv2.GaussianBlur(light, (0, 0), 2.5)), (0, 0), 2.5)
    return np.dstack([lab.astype(np.float32), restless])


def _costs(distance: Floats) -> Floats:
    """What it costs to end the skin of a ray (row) at a radius (column)."""
    excess = distance - _NOT_SKIN
    inside = np.cumsum(excess, axis=1) - excess
    edge = np.gradient(cv2.GaussianBlur(distance, (0, 0), sigmaX=2.0, sigmaY=0.5), axis=1)
    share = np.linspace(0.0, 1.0, distance.shape[1])
    prior = _PRIOR_COST * distance.shape[1] * (share - _USUAL / _FURTHEST) ** 2
    return np.asarray(inside - _EDGE_REWARD * edge + prior, np.float32)


def _best_line(costs: Floats) -> NDArray[np.int64]:
    """The column for each row with the least total cost, neighbours at most some steps apart."""
    rows, columns = costs.shape
    total = costs[0].astype(np.float64)
    came_from = np.zeros((rows, columns), np.int64)
    steps = np.arange(-_LARGEST_STEP, _LARGEST_STEP + 1)
    before = np.arange(columns)[:, None] + steps
    is_there = (before >= 0) & (before < columns)
    before = np.clip(before, 0, columns - 1)
    for row in range(1, rows):
        ways = np.where(is_there, total[before] + _STEP_COST * steps**2, np.inf)
        chosen = ways.argmin(axis=1)
        came_from[row] = before[np.arange(columns), chosen]
        total = costs[row] + ways[np.arange(columns), chosen]
    line = np.empty(rows, np.int64)
    line[-1] = int(total.argmin())
    for row in range(rows - 1, 0, -1):
        line[row - 1] = came_from[row, line[row]]
    return line
