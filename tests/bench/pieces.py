"""Single pieces in this process: the detector against the package it takes its weights from, and
the picture encoders of the app."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import cv2
import numpy as np

REPEATS = 7


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    picture_bgr = astronaut_bgr_u8()
    yield from _detectors(cv2.resize(picture_bgr, (640, 360)))
    yield from _encoders(np.ascontiguousarray(picture_bgr[..., ::-1]))


def _detectors(frame_bgr: np.ndarray) -> Iterator[tuple[str, float, str]]:
    from mtcnn import MTCNN

    from engine.detect.mtcnn import MtcnnDetector

    ours, package = MtcnnDetector(), MTCNN()
    batch = [frame_bgr] * 8
    yield "MTCNN compiled, 640x360, batch of 8", _median_ms(lambda: ours.detect(batch)) / 8, "ms"
    yield "MTCNN compiled, 640x360, single", _median_ms(lambda: ours.detect(batch[:1])), "ms"
    logging.disable(logging.WARNING)
    eager = _median_ms(lambda: package.detect_faces(frame_bgr[..., ::-1]))
    yield "MTCNN of the package (eager), 640x360", eager, "ms"


def _encoders(rgb_u8: np.ndarray) -> Iterator[tuple[str, float, str]]:
    from tuiapp.graphics.blocks import fit_quadrants
    from tuiapp.graphics.palette import build_palette
    from tuiapp.graphics.sixel import encode_sixel
    from tuiapp.graphics.terminal import Colours

    palette = build_palette(rgb_u8, 256, (0, 0, 0))
    indices, colours = palette.indices(rgb_u8), palette.colours_rgb_u8
    yield "sixel 512x512, 256 colours", _median_ms(lambda: encode_sixel(indices, colours)), "ms"
    blocks = _median_ms(lambda: fit_quadrants(rgb_u8, 57, 27, Colours.TRUECOLOR))
    yield "quadrant blocks, 57x27 cells", blocks, "ms"


def _median_ms(work: Callable[[], object]) -> float:
    work()  # compile and warm caches
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def astronaut_bgr_u8() -> np.ndarray:
    files = distribution("scikit-image").files or []
    [path] = [file for file in files if str(file).endswith("data/astronaut.png")]
    return cv2.imread(str(Path(str(path.locate()))))
