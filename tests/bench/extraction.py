"""faces-extract as users run it, by detector and size of the frames.

On the reference clips, which lie beside a developer's checkout; only detectors whose weights come
with the install.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2

from tests.detect.media import clip_frames
from tests.support.command import facewright
from tests.support.shared import SHARED

# Height to the clip that has it or is scaled to it, and frames for the detectors; dlib's neural
# one takes seconds a frame. Every so many frames one is taken, to see the whole clip.
CLIPS = {360: "occlusion_mic_cuts.mp4", 1080: "pairB_dst.mp4"}
FRAMES = {("mtcnn", 360): 50, ("mtcnn", 1080): 40, ("dlib-hog", 360): 50, ("dlib-hog", 1080): 24}
FRAMES |= {("dlib-cnn", 360): 10, ("dlib-cnn", 1080): 4}
SHORTEST_CLIP_FRAMES = 200


def measure() -> Iterator[tuple[str, float, str] | str]:
    """Rows of (what, value, unit)."""
    if not (SHARED / "media").is_dir():
        yield "extraction: the reference clips are not beside this checkout\n"
        return
    for (detector, height_px), count in FRAMES.items():
        with tempfile.TemporaryDirectory() as folder:
            _write_frames(Path(folder), height_px, count)
            yield from _extract(Path(folder), detector, f"{detector} {height_px}p, {count} frames")


def _write_frames(root: Path, height_px: int, count: int) -> None:
    frames = root / "data_dst"
    frames.mkdir()
    wanted = range(0, SHORTEST_CLIP_FRAMES, SHORTEST_CLIP_FRAMES // count)
    for number, image in enumerate(clip_frames(CLIPS[height_px], wanted)[:count], start=1):
        scale = height_px / image.shape[0]
        scaled = cv2.resize(image, None, fx=scale, fy=scale) if scale != 1 else image
        cv2.imwrite(str(frames / f"{number:05d}.jpg"), scaled, [cv2.IMWRITE_JPEG_QUALITY, 95])


def _extract(root: Path, detector: str, what: str) -> Iterator[tuple[str, float, str]]:
    words = ("--side", "dst", "--detector", detector, "--debug-images", "no")
    done = facewright("run", "faces-extract", *words, "-w", root, "--json", timeout_s=1200)
    if done.status != 0:
        raise RuntimeError(f"{what} ended with {done.status}: {done.stdout[-500:]}{done.stderr}")
    [facts] = [event["facts"] for event in done.events if event["ev"] == "result"]
    steps = [(e["t"], e["done"]) for e in done.events if e["ev"] == "progress" and e["done"]]
    (began, first), (ended, last) = steps[0], steps[-1]
    yield f"faces-extract {what}", facts["frames_per_s"], "frames/s"
    if last > first:
        going = (last - first) / (ended - began)
        yield "  once it goes", going, "frames/s"
        yield "  once it goes", going * facts["faces"] / facts["frames"], "faces/s"
