"""Workspaces with small facesets to sort, and the stage run on them."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.faces.face_file import encode_face_jpeg
from engine.protocol.workspace import Workspace, list_images
from engine.stages.faceset_sort.run import run
from tests.faces.face_files import SIZE_PX, face_data, picture
from tests.support.context import RecordingContext, context_for


def make_faces(root: Path, count: int, *, suffix: str = ".jpg", size_px: int = SIZE_PX) -> Path:
    """`count` unlike faces FRAME_0 in data_src/aligned, of different brightness and size in the
    frame, turned differently; returns that folder."""
    folder = root / "data_src" / "aligned"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = picture(size_px, seed=number)
        brightness = 60 + 37 * number % 190
        scaled = (image.astype(np.float64) * brightness / max(1, image.max())).astype(np.uint8)
        data = face_data(source_filename=f"{count - number:05d}.png")
        landmarks = data.landmarks * size_px / SIZE_PX
        landmarks[27:36, 0] += (number % 7 - 3) * size_px / SIZE_PX
        data = replace(data, landmarks=landmarks, source_rect=(0, 0, 50 + 13 * number % 97, 80))
        (folder / f"{number:05d}_0{suffix}").write_bytes(encode_face_jpeg(scaled, 90, data))
    return folder


def sort(root: Path, method: str = "brightness", **options: Any) -> RecordingContext:
    """Run the stage for src in this process; its context tells what it reported."""
    context: RecordingContext = context_for(
        root, "faceset-sort", side="src", method=method, **options
    )
    run(context)
    return context


def names(folder: Path) -> list[str]:
    return [path.name for path in list_images(folder)]


def contents(folder: Path) -> list[str]:
    """The hashes of all pictures in and below a folder, in order: equal lists, nothing lost,
    nothing doubled."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def sort_until_killed(root: Path, options: dict[str, Any], changes: int) -> None:
    """For a process of its own: sort, and be killed after so many renames and removals, those of
    the plan's file included. Ends with status 0 if there are no more."""
    seen = 0

    def count(event: str, _: tuple[object, ...]) -> None:
        nonlocal seen
        if event in ("os.rename", "os.remove", "os.rmdir"):
            seen += 1
            if seen > changes:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    sort(root, **options)


def plan_file(root: Path) -> Path:
    return Workspace(root).stage_state / "faceset-sort-src.json"
