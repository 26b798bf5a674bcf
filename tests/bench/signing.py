"""What marking adds to rendering ten seconds of 1080p: signing, by the time that rendering takes.

Both are measured in one run, one after the other on the same result: an unmarked render, then all
that marking does more.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from engine.protocol.workspace import Workspace, list_images
from engine.provenance.marking import switch_marking
from engine.stages.video_render.films import films_of
from engine.stages.video_render.kinds import KINDS
from engine.stages.video_render.reference import reference_of
from engine.stages.video_render.sealing import sealing_of
from tests.bench.rendering import FRAMES, merge_moving_photograph
from tests.support.clips import run_ffmpeg
from tests.support.context import context_for
from tests.support.results import render

SECONDS, RATE_HZ = 10, 25
MEASURED = ("mp4", "prores-4444", "ffv1", "png-sequence")


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        _ten_seconds(workspace)
        switch_marking(workspace, on=False, reason="to measure without it")
        for kind in MEASURED:
            began = time.perf_counter()
            render(workspace.root, kind=kind, audio=False)
            render_s = time.perf_counter() - began
            sign_s = _signing_s(workspace, kind)
            yield f"video-render 1080p {kind}, {SECONDS} s", render_s, "s"
            yield "  signing", sign_s, "s"
            yield "  signing, of rendering", 100 * sign_s / render_s, "%"
            (workspace.root / f"result{KINDS[kind].suffix}").rename(workspace.root / kind)


def _signing_s(workspace: Workspace, kind: str) -> float:
    """How long marking takes for the result that lies there."""
    switch_marking(workspace, on=True, reason="")
    context, row = context_for(workspace.root, "video-render", kind=kind, audio=False), KINDS[kind]
    reference = reference_of(context, row)
    [film, *_] = films_of(context, row, reference, range(reference.timing.frames))
    film = replace(film, sound=None)
    began = time.perf_counter()
    with ExitStack() as stack:
        sealing_of(context, reference, film).mark(context, film, film.target, stack)
    spent_s = time.perf_counter() - began
    switch_marking(workspace, on=False, reason="to measure without it")
    return spent_s


def _ten_seconds(workspace: Workspace) -> None:
    """Frames of a moving photograph, again and again, and the video that they are from."""
    merged = workspace.dst.merged
    merge_moving_photograph(merged)
    for number, path in enumerate(list_images(merged) * (SECONDS * RATE_HZ // FRAMES + 1)):
        if FRAMES <= number < SECONDS * RATE_HZ:
            (merged / f"{number:05d}.png").hardlink_to(path)
    plate = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    pictures = ["-framerate", str(RATE_HZ), "-i", str(merged / "%05d.png")]
    run_ffmpeg([*pictures, *plate, str(workspace.root / "data_dst.mp4")])
