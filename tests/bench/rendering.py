"""Merged frames of 1080p to results of every kind: frames per second and bytes a frame."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from engine.media.images import write_image
from engine.stages.video_render.kinds import KINDS
from tests.bench.pieces import astronaut_bgr_u8
from tests.support.results import render

FRAMES = 40
WIDTH_PX, HEIGHT_PX = 1920, 1080


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        merge_moving_photograph(root / "data_dst" / "merged")
        for kind, row in KINDS.items():
            began = time.perf_counter()
            render(root, kind=kind)
            rate = FRAMES / (time.perf_counter() - began)
            yield f"video-render 1080p {kind}", rate, "frames/s"
            result = root / f"result{row.suffix}"
            files = result.iterdir() if result.is_dir() else [result]
            yield "  size", sum(path.stat().st_size for path in files) / FRAMES / 1e6, "MB/frame"
            result.rename(root / f"done-{kind}")


def merge_moving_photograph(merged: Path) -> None:
    """Merged frames: a photograph that moves by a few pixels a frame, with a camera's noise."""
    merged.mkdir(parents=True)
    large = cv2.resize(astronaut_bgr_u8(), (WIDTH_PX + 8 * FRAMES, HEIGHT_PX + 4 * FRAMES))
    noise = np.random.default_rng(1).normal(0, 2, (HEIGHT_PX, WIDTH_PX, 3))
    for number in range(FRAMES):
        part = large[4 * number :, 8 * number :][:HEIGHT_PX, :WIDTH_PX]
        grained = np.clip(part + np.roll(noise, 97 * number, axis=1), 0, 255).astype(np.uint8)
        write_image(merged / f"{number:05d}.png", grained)
