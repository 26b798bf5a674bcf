"""Workspaces with small facesets, and stages for facesets run on them."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine import catalog
from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_data import FaceData
from engine.faces.face_file import encode_face_jpeg, read_face_data
from engine.protocol.workspace import Workspace, list_images
from tests.faces.face_files import face_data, labels, picture
from tests.support.context import RecordingContext, context_for

# Runs a stage in a process of its own: argv are the workspace, the stage, options as JSON, and
# before which change of a file in the workspace the process kills itself (0: never).
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from tests.stages.facesets import context_for, stage_function

root, stage, options, fatal = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
changes = 0

def hook(event, arguments):
    global changes
    is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE
    if (event in CHANGES or is_write) and str(root) in str(arguments[0]):
        changes += 1
        if changes == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)

context, run = context_for(root, stage, confirmed=True, **options), stage_function(stage)
sys.addaudithook(hook)
run(context)
print(changes)
"""


def faceset(root: Path, count: int = 3, side: str = "src", **changes: Any) -> Path:
    """Write a side's faces, each with another picture; returns the folder."""
    folder = Workspace(root).side(side).aligned
    folder.mkdir(parents=True)
    for number in range(count):
        data = replace(face_data(**changes), source_filename=f"{number:05d}.png")
        (folder / f"{number:05d}_0.jpg").write_bytes(
            encode_face_jpeg(picture(seed=number), 95, data)
        )
    return folder


def labelled(**changes: Any) -> dict[str, Any]:
    """Changes for a face with labels and an applied mask of another size."""
    mask = np.zeros((100, 100), np.float32)
    mask[30:70, 30:70] = 1.0
    return {"seg_ie_polys": labels(), "xseg_mask_compressed": bytes_from_mask(mask)} | changes


def stage_function(stage: str) -> Any:
    module, _, function = catalog.stage(stage).code.partition(":")
    return getattr(importlib.import_module(module), function)


def run_stage(
    root: Path, stage: str, *, confirmed: bool = False, stop_after: int | None = None, **given: Any
) -> RecordingContext:
    """Run the stage in this process to its end."""
    context: RecordingContext = context_for(root, stage, confirmed=confirmed, **given)
    context.stop_after = stop_after
    stage_function(stage)(context)
    return context


def run_apart(root: Path, stage: str, *, fatal: int = 0, **given: Any) -> int | None:
    """Run the stage, confirmed, in a process of its own. Returns how many changes of files it
    made; None if it was killed."""
    argv = [str(root), stage, json.dumps(given), str(fatal)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *argv],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def data_of(path: Path) -> FaceData:
    data = read_face_data(path)
    assert data is not None
    return data


def names(folder: Path) -> list[str]:
    return [path.name for path in list_images(folder)]


def trashed(root: Path) -> dict[str, bytes]:
    """Name -> content of every picture in the workspace's trash."""
    found = Workspace(root).trash.rglob("*_*.*") if Workspace(root).trash.is_dir() else []
    return {path.name: path.read_bytes() for path in found if path.is_file()}
