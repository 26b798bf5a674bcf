"""Workspaces with real frames, and the stage faces-extract run on them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data
from engine.protocol.workspace import Workspace, list_images
from engine.stages.faces_extract.run import run
from tests.detect.media import clip_frames
from tests.support.context import RecordingContext, context_for

# Runs the stage in a process of its own: argv are the workspace, options as JSON, and at how many
# frames the process kills itself (0: never).
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from engine.stages.faces_extract.run import run
from tests.support.context import context_for

context = context_for(Path(sys.argv[1]), "faces-extract", **json.loads(sys.argv[2]))
tell, fatal = context.progress, int(sys.argv[3])

def progress(done, total, **more):
    tell(done, total, **more)
    if fatal and done >= fatal:
        os.kill(os.getpid(), signal.SIGKILL)

context.progress = progress
run(context)
print(json.dumps({"facts": context.facts, "tensorflow": "tensorflow" in sys.modules}))
"""


def workspace(root: Path, clip: str, wanted: Iterable[int], side: str = "dst") -> Path:
    folder = root / f"data_{side}"
    folder.mkdir(parents=True)
    for number, image in enumerate(clip_frames(clip, wanted), start=1):
        cv2.imwrite(str(folder / f"{number:05d}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return root


def extract(root: Path, *, confirmed: bool = False, **options: Any) -> RecordingContext:
    context: RecordingContext = context_for(
        root, "faces-extract", confirmed=confirmed, workers="1", **options
    )
    run(context)
    return context


def run_apart(root: Path, *, fatal: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    argv = [str(root), json.dumps({"workers": "1", **options}), str(fatal)]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *argv],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def faces(root: Path, side: str = "dst") -> list[Path]:
    return list_images(Workspace(root).side(side).aligned)


def contents(root: Path, side: str = "dst") -> dict[str, bytes]:
    folders = Workspace(root).side(side)
    paths = list_images(folders.aligned) + list_images(folders.aligned_debug)
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths}


def data_of(path: Path) -> FaceData:
    data = read_face_data(path)
    assert data is not None
    return data


def per_frame(root: Path) -> Counter[int]:
    frames = {path.stem: 0 for path in list_images(Workspace(root).dst.frames)}
    for path in faces(root):
        frames[path.stem.rpartition("_")[0]] += 1
    return Counter(frames.values())
