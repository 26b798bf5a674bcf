"""The map of head angles: how many faces look where, and what of dst src does not cover."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.coverage import PITCH_STEP_DEG, YAW_STEP_DEG, Floats, uncovered

ImageU8 = NDArray[np.uint8]

_YAW_CELLS, _PITCH_CELLS = 6, 3  # to each side of the middle: 90 and 45 degrees
_CELL_W_PX, _CELL_H_PX = 84, 64
_LEFT_PX, _TOP_PX, _BOTTOM_PX = 96, 72, 72
_PAPER, _INK, _FAINT = (250, 250, 250), (40, 40, 40), (225, 225, 225)
# Blue to orange (Okabe and Ito): told apart with any colour vision. BGR.
_COVERED, _LACKING, _UNUSED = (178, 114, 0), (0, 94, 213), (190, 190, 190)


def draw_pose_map(title: str, looks: Floats, src: Floats | None, dst: Floats | None) -> ImageU8:
    """The map (h, w, 3) BGR. looks: the reported side's (see `engine.faces.coverage.looks_of`),
    drawn alone unless both sides are given."""
    height = _TOP_PX + (2 * _PITCH_CELLS + 1) * _CELL_H_PX + _BOTTOM_PX
    width = _LEFT_PX + (2 * _YAW_CELLS + 1) * _CELL_W_PX + 24
    picture = np.full((height, width, 3), _PAPER, np.uint8)
    _write(picture, title, (_LEFT_PX, 28), 0.7)
    _draw_axes(picture)
    if src is None or dst is None:
        _draw_counts(picture, looks)
    else:
        _draw_comparison(picture, src, dst)
    return picture


def _draw_counts(picture: ImageU8, looks: Floats) -> None:
    counts = _counts(looks)
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            _cell(picture, row, column, _COVERED, counts[row, column] / counts.max())
            _cell_text(picture, row, column, (f"{counts[row, column]:.0f}",))
    _write(picture, "number: faces in the cell", (_LEFT_PX, picture.shape[0] - 20), 0.5)


def _draw_comparison(picture: ImageU8, src: Floats, dst: Floats) -> None:
    src_counts, dst_counts = _counts(src), _counts(dst)
    lacking = _counts(dst[uncovered(src, dst)])
    for row, column in np.ndindex(*dst_counts.shape):
        of_src, of_dst = src_counts[row, column], dst_counts[row, column]
        if of_dst:
            share = float(lacking[row, column] / of_dst)
            colour = tuple(
                round(share * bad + (1 - share) * good)
                for good, bad in zip(_COVERED, _LACKING, strict=True)
            )
            _cell(picture, row, column, colour, 1.0)
        elif of_src:
            _cell(picture, row, column, _UNUSED, 0.5)
        if of_src or of_dst:
            _cell_text(picture, row, column, (f"src {of_src:.0f}", f"dst {of_dst:.0f}"))
    legend = (
        "blue: dst is covered by src    orange: src lacks pose, mouth or light    grey: src only"
    )
    _write(picture, legend, (_LEFT_PX, picture.shape[0] - 20), 0.5)


def _counts(looks: Floats) -> Floats:
    """Faces per cell: rows of pitch from up to down, columns of yaw from left to right."""
    counts = np.zeros((2 * _PITCH_CELLS + 1, 2 * _YAW_CELLS + 1))
    yaw = np.clip(np.rint(looks[:, 0]), -_YAW_CELLS, _YAW_CELLS).astype(int)
    pitch = np.clip(np.rint(looks[:, 1]), -_PITCH_CELLS, _PITCH_CELLS).astype(int)
    np.add.at(counts, (_PITCH_CELLS - pitch, _YAW_CELLS - yaw), 1)
    return counts


def _draw_axes(picture: ImageU8) -> None:
    for row in range(2 * _PITCH_CELLS + 1):
        degrees = (_PITCH_CELLS - row) * PITCH_STEP_DEG
        x, y = _corner(row, 0)
        _write(picture, f"{degrees:+.0f}", (x - 44, y + _CELL_H_PX // 2 + 5), 0.5)
        for column in range(2 * _YAW_CELLS + 1):
            _cell(picture, row, column, _FAINT, 1.0)
    for column in range(2 * _YAW_CELLS + 1):
        degrees = (_YAW_CELLS - column) * YAW_STEP_DEG
        x, y = _corner(0, column)
        _write(picture, f"{degrees:+.0f}", (x + _CELL_W_PX // 2 - 16, y - 8), 0.5)
    _write(picture, "up", (12, _TOP_PX + 20), 0.5)
    _write(picture, "down", (12, _corner(2 * _PITCH_CELLS + 1, 0)[1] - 8), 0.5)
    _write(picture, "nose to the left", (_LEFT_PX, picture.shape[0] - 46), 0.5)
    _write(picture, "to the right", (picture.shape[1] - 130, picture.shape[0] - 46), 0.5)


def _corner(row: int, column: int) -> tuple[int, int]:
    return _LEFT_PX + column * _CELL_W_PX, _TOP_PX + row * _CELL_H_PX


def _cell(
    picture: ImageU8, row: int, column: int, colour: tuple[int, ...], strength: float
) -> None:
    x, y = _corner(row, column)
    mixed = np.array(_PAPER) * (1 - strength) + np.array(colour) * strength
    picture[y + 1 : y + _CELL_H_PX - 1, x + 1 : x + _CELL_W_PX - 1] = mixed.astype(np.uint8)


def _cell_text(picture: ImageU8, row: int, column: int, lines: tuple[str, ...]) -> None:
    x, y = _corner(row, column)
    patch = picture[y + 3, x + 3]
    ink = (255, 255, 255) if patch.mean() < 150 else _INK
    for number, line in enumerate(lines):
        _write(picture, line, (x + 6, y + 26 + 22 * number), 0.45, ink)


def _write(
    picture: ImageU8,
    text: str,
    at: tuple[int, int],
    size: float,
    ink: tuple[int, ...] = _INK,
) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
