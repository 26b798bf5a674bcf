"""Every model class learns the same two people for a few hundred iterations and is merged with: a
table. Small nets; each class in a process of its own, so that none keeps the memory of another.

FACEWRIGHT_BENCH_ITERATIONS sets how long (300). Run as a module with a workspace and a class, it is
one of these processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.models.classes import SWAP_CLASSES
from engine.protocol.workspace import Workspace, list_images
from tests.bench.mask_faces import MEDIA
from tests.support.context import context_for

ITERATIONS = int(os.environ.get("FACEWRIGHT_BENCH_ITERATIONS", "300"))
FRAMES = range(0, 200, 10)
AVERAGED = 20
_SMALL = {"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16}
OPTIONS: dict[str, dict[str, Any]] = {
    "saehd": {**_SMALL, "face_type": "f"},
    "amp": {**_SMALL, "inter_dims": 32, "face_type": "f"},
}
HEADER = (
    "| class | src, first to last | dst, first to last | frames merged | differ from the plate |\n"
    "|---|---|---|---|---|\n"
)


def measure() -> Iterator[str]:
    """The table as Markdown; losses are means of so many iterations."""
    if not MEDIA.is_dir():
        yield "learning: the reference clips are not beside this checkout\n"
        return
    with tempfile.TemporaryDirectory() as folder:
        _two_people(Path(folder))
        yield f"{ITERATIONS} iterations; losses are means of {AVERAGED}\n{HEADER}"
        for spec in SWAP_CLASSES:
            yield _row(spec.id, _in_a_process(folder, spec.id))


def _two_people(root: Path) -> None:
    from tests.stages.extracting import extract, workspace

    for side in ("src", "dst"):
        workspace(root, f"pairA_{side}.mp4", FRAMES, side=side)
        extract(root, side=side)


def _in_a_process(root: str, model_class: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.learning", root, model_class]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _row(model_class: str, found: dict[str, Any]) -> str:
    src, dst = (f"{first:.3f} to {last:.3f}" for first, last in found["losses"])
    return f"| {model_class} | {src} | {dst} | {found['frames']} | {found['differ']} |\n"


def learn(root: Path, model_class: str) -> dict[str, Any]:
    """Train and merge in this process: first and last losses of both sides, and what was made."""
    from engine.models.dfl1.recipes import RECIPES
    from engine.stages.merge.run import run as merge
    from engine.stages.train.run import run as train
    from tests.models.dfl1.narrow import make_narrow

    chosen = {"model_class": model_class, "device": "cpu"}
    own = {**OPTIONS.get(model_class, {}), "seed": 5, "target_iter": ITERATIONS}
    with pytest.MonkeyPatch.context() as patch:
        if model_class in RECIPES:
            make_narrow(model_class, patch)
        training = context_for(root, "train", **chosen, **own, preview_seconds=0)
        train(training)
        merge(context_for(root, "merge", confirmed=True, fresh=True, **chosen))
    losses = np.array([row[1] for row in training.loss_rows])
    ends = losses[:AVERAGED].mean(axis=0), losses[-AVERAGED:].mean(axis=0)
    return {"losses": np.stack(ends, axis=1).tolist(), **_merged(Workspace(root))}


def _merged(workspace: Workspace) -> dict[str, int]:
    import cv2

    merged = list_images(workspace.dst.merged)
    differ = 0
    for path in merged:
        plate = cv2.imread(str(workspace.dst.frames / path.name))
        picture = cv2.imread(str(path))
        assert plate is not None and picture is not None
        differ += bool((np.abs(picture.astype(int) - plate).max(axis=-1) > 8).mean() > 0.01)
    return {"frames": len(merged), "differ": differ}


if __name__ == "__main__":
    found = learn(Path(sys.argv[1]), sys.argv[2])
    sys.stdout.write(f"{json.dumps(found)}\n")
