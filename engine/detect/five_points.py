"""How far a head is turned to the side, from a detector's five points.

The 68 landmarks do not tell of profiles: dlib's predictor makes a face seen from the front of them
(of a head at 71 degrees of yaw one at 30, of some profiles one that looks the other way), while
MTCNN's five points follow the head.
"""

from __future__ import annotations

from math import atan2, radians

import numpy as np

from engine.detect.detection import PointsXY

# The distance of the eyes over how far the nose's tip stands out, fitted to the annotated points of
# six faces at 5 to 71 degrees: off by 11 degrees at most.
EYES_PER_NOSE = 1.9
# MTCNN's points show the 71 degrees as 63, so 60 as somewhat less; the next in the reference clips
# is a head at 43.
PROFILE_YAW_RAD = radians(55)


def yaw_of_five_points(five_points: PointsXY) -> float:
    """The yaw in radians, -pi/2..pi/2, positive with the nose towards the picture's left (as in
    `engine.faces.pose`), of (5, 2): eyes, nose, corners of the mouth; 0 if they lie in one place.
    """
    eyes, mouth = five_points[:2].mean(axis=0), five_points[3:].mean(axis=0)
    down = mouth - eyes
    right = np.array([down[1], -down[0]])  # of the face, not of the picture
    nose_off = float((five_points[2] - (eyes + mouth) / 2) @ right)
    eyes_apart = float((five_points[1] - five_points[0]) @ right)
    return -atan2(EYES_PER_NOSE * nose_off, max(eyes_apart, 0.0))
