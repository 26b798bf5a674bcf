"""XSeg on a CPU: steps of training, masks of faces, samples. CPU seconds are the figure to compare,
each measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

BATCH = 4
REPEATS = 3
SAMPLES = 24
DTYPES = {"float32": "float32", "bf16": "mixed_bfloat16"}


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    for precision, dtype in DTYPES.items():
        found = _in_a_process("step", dtype)
        yield f"train XSeg 256 {precision} batch {BATCH}", found["cpu_s"], "CPU s/iteration"
        yield "  by the clock, beside the machine's load", found["wall_s"], "s/iteration"
        yield "  to the first step", found["first_cpu_s"], "CPU s"
    found = _in_a_process("masks")
    yield "masks of faces 256 px, two at once", found["cpu_s"], "CPU s/face"
    yield "  by the clock, beside the machine's load", 1 / found["wall_s"], "faces/s"
    yield "XSeg samples, from kept crops", 1 / _in_a_process("samples")["cpu_s"], "samples/CPU s"


def _in_a_process(part: str, *arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.xseg", part, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _step(dtype: str) -> dict[str, float]:
    from engine.models.xseg.model import XSegModel
    from engine.models.xseg.spec import XSEG
    from engine.protocol.options import complete_values
    from engine.train.batches import Batch, SideBatch

    rng = np.random.default_rng(0)
    faces = rng.random((BATCH, 256, 256, 3), np.float32)
    side = SideBatch(faces, faces, np.float32(rng.random((BATCH, 256, 256, 1)) > 0.5), None)

    class Ready:
        batch_size = BATCH

        def next(self) -> Any:
            return Batch(0, side, side.none())

    began = time.process_time()
    model: Any = XSegModel(complete_values(XSEG.options, {}), seed=1, dtype=dtype)
    model.train_step(Ready())
    first_cpu_s = time.process_time() - began
    return {"first_cpu_s": first_cpu_s, **_measured(lambda: model.train_step(Ready()), 1)}


def _masks() -> dict[str, float]:
    from engine.models.dfl_files.writing import write_tensors
    from engine.models.xseg.predictor import DFL_NET_FILE, NET, load_xseg
    from engine.nets.initialisation import initialise, weights_of
    from engine.nets.xseg import XSeg
    from engine.protocol.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        net = XSeg()
        initialise(net, NET, 1)
        write_tensors(Path(folder) / DFL_NET_FILE, weights_of(net))
        xseg = load_xseg(Workspace(Path(folder)), folder, device="cpu")
    faces = np.random.default_rng(0).random((2, 256, 256, 3), np.float32)
    return _measured(lambda: xseg.masks(faces), len(faces))


def _samples() -> dict[str, float]:
    from engine.faces.face_type import FaceType
    from engine.faces.faceset import open_faceset
    from engine.train.crops import CropCache, CropKind
    from engine.train.samples import Sampling
    from engine.train.side_faces import SideFaces
    from engine.train.xseg_samples import LabelledFaces, XSegSamples, drawn_mask
    from tests.train.labelled_faces import write_masked_faces

    kind = CropKind(FaceType.WHOLE_FACE, 256)
    with tempfile.TemporaryDirectory() as folder:
        faces = list(open_faceset(write_masked_faces(Path(folder), 8)))
        labelled = SideFaces("labelled", faces, lambda text, remedy: None)
        source = LabelledFaces(labelled, kind, CropCache(1 << 28), drawn_mask)
        samples = XSegSamples(source, Sampling(kind, BATCH, scale=0.05), seed=1)
        return _measured(lambda: [samples.sample(number) for number in range(SAMPLES)], SAMPLES)


def _measured(work: Callable[[], object], count: int) -> dict[str, float]:
    """CPU and wall seconds of each of `count`; the wall's is the least, for others may take part of
    the machine."""
    work()
    cpu, wall = [], []
    for _ in range(REPEATS):
        cpu_began, wall_began = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - cpu_began)
        wall.append(time.perf_counter() - wall_began)
    return {"cpu_s": median(cpu) / count, "wall_s": min(wall) / count}


if __name__ == "__main__":
    part, *arguments = sys.argv[1:]
    found = {"step": _step, "masks": _masks, "samples": _samples}[part](*arguments)
    sys.stdout.write(f"\n{json.dumps(found)}\n")
