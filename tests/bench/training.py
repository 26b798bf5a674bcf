"""Steps of training, predictions and samples: the configurations of which DeepFaceLab's own times
are known.

Each is measured in a process of its own. CPU seconds are the figure to compare: on a machine that
does other things, too, only they stay. DeepFaceLab's were measured on a machine of the same kind
(2 cores, Zen 4), fed from ready batches like ours.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

REPEATS = 7
BATCH = 4
DIMS = {"ae_dims": 256, "e_dims": 64, "d_dims": 64, "d_mask_dims": 22, "adabelief": True}
DTYPES = {"float32": "float32", "bf16": "mixed_bfloat16"}
DFL_PREDICTION_CPU_S = 0.17  # one face of 128 pixels


@dataclass(frozen=True)
class Configuration:
    """What is trained; dfl_cpu_s: what DeepFaceLab needs for one step of batch 4."""

    name: str
    model_class: str
    resolution: int
    dfl_cpu_s: float
    archi: str = ""


CONFIGURATIONS = (
    Configuration("df-ud 128", "saehd", 128, 4.25, "df-ud"),
    Configuration("liae-ud 128", "saehd", 128, 5.6, "liae-ud"),
    Configuration("df-ud 192", "saehd", 192, 9.0, "df-ud"),
    Configuration("Quick96", "quick96", 96, 2.5),
)


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    fastest = 0.0
    for configuration in CONFIGURATIONS:
        for precision in DTYPES:
            found = _in_a_process("step", asdict(configuration), precision)
            what = f"train {configuration.name} {precision} batch {BATCH}"
            yield what, found["cpu_s"], "CPU s/iteration"
            yield "  of DeepFaceLab's", found["cpu_s"] / configuration.dfl_cpu_s, "x"
            yield "  by the clock, beside the machine's load", found["wall_s"], "s/iteration"
            yield "  samples", 2 * BATCH / found["wall_s"], "samples/s"
            yield "  first step", found["first_cpu_s"], "CPU s"
            yield "  peak memory", found["peak_mb"], "MB"
            fastest = max(fastest, 2 * BATCH / found["cpu_s"])
    for precision in DTYPES:
        for count, cpu_s in _in_a_process("prediction", precision)["cpu_s"].items():
            yield f"predict df-ud 128 {precision} batch {count}", cpu_s, "CPU s/face"
            yield "  of DeepFaceLab's", cpu_s / DFL_PREDICTION_CPU_S, "x"
    made = 1 / _in_a_process("samples")["cpu_s"]
    yield "samples of 128 px, warped, from kept crops", made, "samples/CPU s"
    yield "  of what the fastest step above consumes", made / fastest, "x"


def _in_a_process(part: str, *arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.training", json.dumps([part, *arguments])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _step(configuration: dict[str, Any], precision: str) -> dict[str, Any]:
    model, batches = _model(Configuration(**configuration), precision), _Ready(configuration)
    began = time.process_time()
    model.train_step(batches)
    first_cpu_s = time.process_time() - began
    cpu_s, wall_s = _median_s(lambda: model.train_step(batches))
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "first_cpu_s": first_cpu_s,
        "peak_mb": peak_kb / 1024,
    }


def _model(configuration: Configuration, precision: str) -> Any:
    from engine.models.classes import model_code, model_spec
    from engine.nets.device import prepare_device
    from engine.protocol.options import complete_values

    prepare_device("cpu", lambda text, remedy: None)
    spec = model_spec(configuration.model_class)
    given: dict[str, Any] = {"batch_size": BATCH}
    if configuration.archi:
        given |= {"archi": configuration.archi, "resolution": configuration.resolution}
    options = complete_values(spec.options, given)
    if configuration.archi:
        options |= DIMS
    return model_code(spec)(options, seed=1, dtype=DTYPES[precision])


class _Ready:
    """Stands where a stream of batches stands: one batch, again and again."""

    batch_size = BATCH

    def __init__(self, configuration: dict[str, Any]) -> None:
        from engine.train.batches import Batch

        side_px = configuration["resolution"]
        self._batch = Batch(0, _side(side_px, 0), _side(side_px, 1))

    def next(self) -> Any:
        return self._batch

    def previous(self) -> Any:
        return self._batch


def _side(side_px: int, seed: int) -> Any:
    from engine.train.batches import SideBatch

    rng = np.random.default_rng(seed)
    pictures = [rng.random((BATCH, side_px, side_px, depth), np.float32) for depth in (3, 3, 1, 1)]
    return SideBatch(*pictures)


def _prediction(precision: str) -> dict[str, Any]:
    import tensorflow as tf

    model = _model(CONFIGURATIONS[0], precision)
    shape = (None, CONFIGURATIONS[0].resolution, CONFIGURATIONS[0].resolution, 3)
    swap = tf.function(model.autoencoder.swap, input_signature=[tf.TensorSpec(shape, tf.float32)])
    cpu_s = {}
    for count in (1, BATCH):
        crops = tf.constant(np.random.default_rng(0).random((count, *shape[1:]), np.float32))
        cpu_s[count] = _median_s(partial(_called, swap, crops))[0] / count
    return {"cpu_s": cpu_s}


def _called(function: Callable[[Any], Any], argument: Any) -> None:
    function(argument)[0].numpy()


def _samples() -> dict[str, Any]:
    from engine.faces.face_type import FaceType
    from engine.train.batches import SampleRates
    from engine.train.crops import CropKind
    from engine.train.samples import Sampling
    from engine.train.sources import Sources, open_training_faces
    from tests.train.made_faces import write_faceset

    sampling = Sampling(CropKind(FaceType.FULL, 128), BATCH, scale=0.15)
    with tempfile.TemporaryDirectory() as folder:
        write_faceset(Path(folder), 16, side_px=512)
        faces = open_training_faces(Path(folder))
        sources = Sources(
            faces, faces, seed=1, limit_bytes=1 << 30, warn=lambda what, remedy: None, threads=1
        )
        sources.rates = SampleRates()
        with sources.open(sampling, 0) as stream:
            for _ in range(8):
                stream.next()
            cpu_s, _ = _median_s(lambda: stream.make(1000, 10 * BATCH))
    return {"cpu_s": cpu_s / (2 * 10 * BATCH)}


def _median_s(work: Callable[[], object]) -> tuple[float, float]:
    """(CPU, wall) seconds; the wall's is the least, for others may take part of the machine."""
    work()
    cpu, wall = [], []
    for _ in range(REPEATS):
        cpu_began, wall_began = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - cpu_began)
        wall.append(time.perf_counter() - wall_began)
    return statistics.median(cpu), min(wall)


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    part, *arguments = json.loads(sys.argv[1])
    parts: dict[str, Callable[..., Any]] = {
        "step": _step,
        "prediction": _prediction,
        "samples": _samples,
    }
    sys.stdout.write(json.dumps(parts[part](*arguments)) + "\n")


if __name__ == "__main__":
    main()
