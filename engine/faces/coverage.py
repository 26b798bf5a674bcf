"""Whether src shows what dst does: the same head angles, mouth and light.

A model renders well what it has seen. For every dst face, src faces are looked for that differ by
less than a step in each of five properties; a dst face with fewer than `ENOUGH_FACES` of them lies
in a hole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from engine.protocol.faceset_report import MOUTHS, Cell

Floats = NDArray[np.float64]
Place = tuple[int, int, int, int, int]  # a rounded row of `looks_of`

# One step each. 15 degrees are what sorting's bins come to, too; a mouth goes from 0 (closed) over
# 0.3 (speaking) to 0.7; a light from the side of a room makes 0.2.
YAW_STEP_DEG = PITCH_STEP_DEG = 15.0
MOUTH_STEP, LIGHT_SIDE_STEP, LIGHT_LEVEL_STEP = 0.2, 0.2, 0.4
ENOUGH_FACES = 3
_TO_THE_SIDES = ("to the picture's left", "to the picture's right")
_SHARED_AMONG = 16  # of the src faces near to a dst face, so many count as what it needs

POSE, MOUTH, LIGHT = (0, 1), (2,), (3, 4)  # columns of `looks`


@dataclass(frozen=True)
class Hole:
    """A way of looking that dst has and src has not. missing: what src lacks on its own
    ("pose", "mouth", "light"), or "combination". faces: rows of dst."""

    place: Place
    words: str
    missing: str
    faces: tuple[int, ...]


def looks_of(
    pitch_rad: Floats,
    yaw_rad: Floats,
    mouth_open: Floats,
    light_side: Floats,
    brightness: Floats,
) -> Floats:
    """(n, 5) in steps: yaw, pitch, mouth, light from which side, light level. The level is compared
    with the side's own median: how bright a whole video is is colour transfer's business."""
    level = brightness / max(float(np.median(brightness)), 1e-6) if len(brightness) else brightness
    columns = (
        np.degrees(yaw_rad) / YAW_STEP_DEG,
        np.degrees(pitch_rad) / PITCH_STEP_DEG,
        mouth_open / MOUTH_STEP,
        light_side / LIGHT_SIDE_STEP,
        (level - 1) / LIGHT_LEVEL_STEP,
    )
    return np.stack(columns, axis=1) if len(yaw_rad) else np.empty((0, 5))


def uncovered(
    src: Floats, dst: Floats, columns: tuple[int, ...] = (0, 1, 2, 3, 4)
) -> NDArray[np.bool_]:
    """Which dst faces lack src faces within a step in these columns of `looks_of`."""
    if len(src) < ENOUGH_FACES or not len(dst):
        return np.ones(len(dst), np.bool_)
    chosen = list(columns)
    distances, _ = cKDTree(src[:, chosen]).query(dst[:, chosen], k=ENOUGH_FACES, p=np.inf)
    return np.asarray(distances[:, -1] > 1.0, np.bool_)


def find_holes(src: Floats, dst: Floats) -> list[Hole]:
    """The holes of src against dst (`looks_of` both), those with most dst faces first."""
    lacking = np.nonzero(uncovered(src, dst))[0]
    missing = _missing(src, dst[lacking])
    places: dict[Place, list[int]] = {}
    for position, place in enumerate(_places(dst[lacking])):
        places.setdefault(place, []).append(position)
    holes = [
        Hole(
            place,
            words_for(place),
            Counter(missing[position] for position in positions).most_common(1)[0][0],
            tuple(int(lacking[position]) for position in positions),
        )
        for place, positions in places.items()
    ]
    return sorted(holes, key=lambda hole: (-len(hole.faces), hole.faces))


def count_cells(src: Floats, dst: Floats) -> list[Cell]:
    """Every place that a face of either side (`looks_of`) has, with its faces; in order."""
    counts: dict[Place, list[int]] = {}
    for column, looks in enumerate((src, dst, dst[uncovered(src, dst)])):
        for place in _places(looks):
            counts.setdefault(place, [0, 0, 0])[column] += 1
    return [Cell(*place, *faces) for place, faces in sorted(counts.items())]


def needed_by_dst(src: Floats, dst: Floats) -> Floats:
    """(n,) how much dst needs each src face: every dst face shares 1 among the src faces within a
    step of it (the nearest 16 at most), so rare ones that much of dst relies on come out high."""
    need = np.zeros(len(src))
    if not len(src) or not len(dst):
        return need
    count = min(_SHARED_AMONG, len(src))
    distances, found = cKDTree(src).query(dst, k=count, p=np.inf)
    is_near = distances.reshape(len(dst), count) <= 1.0
    shares = is_near / np.maximum(is_near.sum(axis=1, keepdims=True), 1)
    np.add.at(need, found.reshape(len(dst), count)[is_near], shares[is_near])
    return need


def _places(looks: Floats) -> list[Place]:
    rounded = np.rint(looks).astype(int).tolist()
    return [(yaw, pitch, mouth, side, level) for yaw, pitch, mouth, side, level in rounded]


def words_for(place: Place) -> str:
    """How a face at that place looks."""
    yaw, pitch, mouth, side, level = place
    parts = (
        _turned(yaw, YAW_STEP_DEG, *_TO_THE_SIDES, "facing the camera"),
        _turned(pitch, PITCH_STEP_DEG, "up", "down", "level"),
        f"mouth {MOUTHS[min(mouth, len(MOUTHS) - 1)]}",
        "" if not side else f"lit from the picture's {'right' if side > 0 else 'left'}",
        "" if not level else f"{'brighter' if level > 0 else 'darker'} than usual",
    )
    return ", ".join(part for part in parts if part)


def _turned(steps: int, step_deg: float, positive: str, negative: str, straight: str) -> str:
    if not steps:
        return straight
    return f"{abs(steps) * step_deg:.0f}° {positive if steps > 0 else negative}"


def _missing(src: Floats, lacking: Floats) -> list[str]:
    """For each dst face of a hole, the first property that src lacks whatever the others are."""
    checks = (("pose", POSE), ("mouth", POSE + MOUTH), ("light", POSE + LIGHT))
    flags = [(name, uncovered(src, lacking, columns)) for name, columns in checks]
    return [
        next((name for name, lacks in flags if lacks[row]), "combination")
        for row in range(len(lacking))
    ]
