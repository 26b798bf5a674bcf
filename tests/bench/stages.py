"""Whole stages on the demo's clips, as users run them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.command import facewright

DST_FRAMES = "100"
TRAIN_ITERATIONS = 12


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _run(root, "demo-media", "--dst-frames", DST_FRAMES)
        for side in ("src", "dst"):
            began = time.perf_counter()
            facts = _run(root, "video-extract", "--side", side)
            rate = facts["frames"] / (time.perf_counter() - began)
            yield f"video-extract {side}, {facts['size']} png, start included", rate, "frames/s"
        for detector in ("dlib-hog", "mtcnn"):
            for side in ("src", "dst"):
                words = ("--side", side, "--detector", detector, "--face-type", "f")
                facts = _run(root, "faces-extract", *words, "--fresh", "--yes")
                yield f"faces-extract {side} {detector}", facts["frames_per_s"], "frames/s"
        for precision in ("float32", "bf16"):
            model = ("--model", precision, "--precision", precision)
            facts = _run(root, "train", *model, "--target-iter", str(TRAIN_ITERATIONS))
            yield f"train quick96 batch 4 {precision}", 1 / facts["iterations_per_s"], "s/iteration"
            yield "  samples deliverable", facts["samples_deliverable_per_s"], "samples/s"
            yield "  samples wanted", facts["samples_wanted_per_s"], "samples/s"
        facts = _run(root, "merge", "--model", "float32")
        yield "merge 480x480", facts["frames_per_second"], "frames/s"
        began = time.perf_counter()
        facts = _run(root, "video-render")
        yield "video-render 480x480", facts["frames"] / (time.perf_counter() - began), "frames/s"


def _run(root: Path, *words: str) -> dict[str, float]:
    done = facewright("run", *words, "-w", root, "--json", timeout_s=1200)
    if done.status != 0:
        raise RuntimeError(f"{words} ended with {done.status}: {done.stdout[-500:]}{done.stderr}")
    return {k: v for e in done.events if e["ev"] == "result" for k, v in e["facts"].items()}
