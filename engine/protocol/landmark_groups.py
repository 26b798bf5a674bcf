"""The parts of a face by the numbers of their landmarks (iBUG-68), as they are moved together.

Right and left are those of the picture of an upright face.
"""

from __future__ import annotations

LANDMARKS = 68
NOSE_TIP = 30

GROUPS: dict[str, tuple[int, ...]] = {
    "jaw": tuple(range(17)),
    "left brow": tuple(range(17, 22)),
    "right brow": tuple(range(22, 27)),
    "nose": tuple(range(27, 36)),
    "left eye": tuple(range(36, 42)),
    "right eye": tuple(range(42, 48)),
    "mouth": tuple(range(48, 68)),
}

# How the points are joined when they are drawn: (first, last, closed).
LINES: tuple[tuple[int, int, bool], ...] = (
    (0, 16, False),
    (17, 21, False),
    (22, 26, False),
    (27, 30, False),
    (31, 35, False),
    (36, 41, True),
    (42, 47, True),
    (48, 59, True),
    (60, 67, True),
)


def group_of(landmark: int) -> str:
    """The name of the part that the landmark belongs to."""
    return next(name for name, members in GROUPS.items() if landmark in members)
