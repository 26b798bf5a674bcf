"""Merging with predictions at hand: looks changed on one frame, and many frames rendered.

The frames are made, the "model" answers at once: what is measured is all but the net.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil

from engine.faces.face_type import FaceType
from engine.media.images import read_image_bgr_u8, write_image
from engine.merge.compose import FrameLooks, compose_frame
from engine.merge.face_nets import FaceNets
from engine.merge.faces import MergeFace
from engine.merge.kept import Kept
from engine.protocol.look import Look
from engine.stages.merge.outputs import Outputs
from engine.stages.merge.plan import FrameJob, RenderJob
from engine.stages.merge.render import Renderer, Unreadable
from tests.merge.composing import faces_of, fake_nets
from tests.merge.fakes import FakePredictor
from tests.merge.workspace import made_landmarks

RESOLUTIONS = (128, 224)
SIZES = {"360p": (360, 640), "1080p": (1080, 1920)}
REPEATS = 5
FRAMES, MANY_FRAMES = 60, 2000
LOOK = Look()
# What a key press changes: the look before and after it.
CHANGES: dict[str, tuple[Look, Look]] = {
    "colour transfer": (LOOK, replace(LOOK, color_transfer_mode="lct")),
    "mask blur 20": (replace(LOOK, blur_mask_modifier=19), replace(LOOK, blur_mask_modifier=20)),
    "mask blur 400": (replace(LOOK, blur_mask_modifier=395), replace(LOOK, blur_mask_modifier=400)),
    "erode 20": (replace(LOOK, erode_mask_modifier=19), replace(LOOK, erode_mask_modifier=20)),
    "erode 400": (replace(LOOK, erode_mask_modifier=395), replace(LOOK, erode_mask_modifier=400)),
    "face scale": (LOOK, replace(LOOK, output_face_scale=5)),
    "seamless": (LOOK, replace(LOOK, mode="seamless")),
    "denoise 50": (replace(LOOK, image_denoise_power=49), replace(LOOK, image_denoise_power=50)),
    "degrade colours": (LOOK, replace(LOOK, color_degrade_power=50)),
    "sot-m": (LOOK, replace(LOOK, color_transfer_mode="sot-m")),
}


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    for resolution in RESOLUTIONS:
        yield from _changes(resolution)
    with tempfile.TemporaryDirectory() as folder:
        for name, frame_hw in SIZES.items():
            yield from _throughput(Path(folder) / name, name, frame_hw)
        yield from _memory(Path(folder) / "memory")


def _changes(resolution: int) -> Iterator[tuple[str, float, str]]:
    frame = _frame(SIZES["1080p"])
    half = cv2.resize(frame, (960, 540), interpolation=cv2.INTER_AREA)
    [face] = faces_of(frame, [_landmarks(frame.shape[0])], LOOK, _nets(resolution))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    for name, (before, after) in CHANGES.items():
        for size, picture in (("1080p", frame), ("half of it", half)):
            what = f"new look, {size}, one core, model {resolution}: {name}"
            yield what, _change_ms(face, picture, resolution, before, after), "ms"
    cv2.setNumThreads(threads)


def _change_ms(
    face: MergeFace, picture: np.ndarray, resolution: int, before: Look, after: Look
) -> float:
    times = []
    for _ in range(REPEATS):
        faces, kept = [replace(face, kept=Kept())], Kept()
        compose_frame(picture, faces, FrameLooks.same(before, 1), resolution, kept=kept)
        began = time.thread_time()
        compose_frame(picture, faces, FrameLooks.same(after, 1), resolution, kept=kept)
        times.append(time.thread_time() - began)
    return statistics.median(times) * 1000


def _throughput(
    root: Path, name: str, frame_hw: tuple[int, int]
) -> Iterator[tuple[str, float, str]]:
    jobs = _jobs(root, frame_hw, FRAMES)
    serial = _rate(lambda: _in_a_loop(root, jobs))
    yield f"merge {name}, plain loop", serial, "frames/s"
    for threads in (1, 2):
        rate = _rate(lambda threads=threads: _rendered(root, jobs, threads))
        yield f"merge {name}, {threads} workers", rate, "frames/s"
        yield f"  of the plain loop's, {name}, {threads} workers", rate / serial, "x"


def _memory(root: Path) -> Iterator[tuple[str, float, str]]:
    jobs = _jobs(root, SIZES["360p"], MANY_FRAMES)
    process = psutil.Process()
    _rendered(root, jobs[:200], threads=2)
    early = process.memory_info().rss
    _rendered(root, jobs, threads=2)
    grown = (process.memory_info().rss - early) / 1e6
    yield f"merge {MANY_FRAMES} frames of 360p: memory grown since 200 frames", grown, "MB"


def _rate(render: Callable[[], None]) -> float:
    began = time.perf_counter()
    render()
    return FRAMES / (time.perf_counter() - began)


def _rendered(root: Path, jobs: list[RenderJob], threads: int) -> None:
    renderer = Renderer(_nets(RESOLUTIONS[1]), _outputs(root), threads)
    with closing(renderer.render(jobs)) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, Unreadable):
                raise outcome.error


def _in_a_loop(root: Path, jobs: list[RenderJob]) -> None:
    """What one would write without a thought: read, predict, compose, write."""
    nets, outputs = _nets(RESOLUTIONS[1]), _outputs(root)
    for job in jobs:
        frame = read_image_bgr_u8(job.frame.path)
        faces = faces_of(frame, job.frame.landmarks, LOOK, nets)
        composed = compose_frame(frame, faces, job.looks, job.square_px)
        image_path, mask_path = outputs.paths(job.stem)
        write_image(image_path, composed.image_bgr_u8)
        write_image(mask_path, composed.mask_u8)


def _jobs(root: Path, frame_hw: tuple[int, int], count: int) -> list[RenderJob]:
    """`count` names of one frame, which lies in memory after the first reading."""
    root.mkdir(parents=True)
    picture = root / "picture.png"
    write_image(picture, _frame(frame_hw))
    looks = FrameLooks.same(LOOK, 1)
    jobs = []
    for number in range(count):
        path = root / f"{number:05d}.png"
        path.symlink_to(picture)
        jobs.append(RenderJob(FrameJob(path, (_landmarks(frame_hw[0]),)), looks, RESOLUTIONS[1]))
    return jobs


def _outputs(root: Path) -> Outputs:
    outputs = Outputs(root / "merged", root / "merged_mask")
    for folder in outputs.folders:
        folder.mkdir(exist_ok=True)
    return outputs


def _nets(resolution: int) -> FaceNets:
    y, x = np.mgrid[:resolution, :resolution] - (resolution - 1) / 2
    disc = cv2.GaussianBlur((np.hypot(x, y) < resolution * 0.42).astype(np.float32), (0, 0), 2)
    coarse = np.random.default_rng(1).random((16, 16, 3), dtype=np.float32)
    face = cv2.resize(coarse, (resolution, resolution), interpolation=cv2.INTER_CUBIC)
    return fake_nets(FakePredictor(face, disc, disc.copy(), FaceType.WHOLE_FACE))


def _frame(frame_hw: tuple[int, int]) -> np.ndarray:
    """As soft, and as hard to pack, as a filmed picture."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (*frame_hw, 3), dtype=np.uint8)
    grain = random.normal(0, 1, (*frame_hw, 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 8).astype(float)
    return np.clip((soft - 128) * 6 + 128 + grain, 0, 255).astype(np.uint8)


def _landmarks(frame_height_px: int) -> np.ndarray:
    side = frame_height_px * 0.25
    return made_landmarks(left=1.5 * side, top=side, side=side)
