"""The same weights asked by TensorFlow, as merging asks a trained model, and by ONNX Runtime, as it
asks the .dfm file exported of it."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from engine.models.predictor import FacePredictor, load_predictor
from engine.protocol.workspace import Workspace

RESOLUTION = 128
DIMS = {"ae_dims": 256, "e_dims": 64, "d_dims": 64, "d_mask_dims": 22}  # SAEHD's defaults
BATCHES = (1, 8)  # what a session asks for at once, and what merging does (`BATCH_FACES`)
REPEATS = 7


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        _write_models(workspace)
        loaded = {}
        for name, model_class in (("big", "saehd"), ("big_SAEHD_model", "dfm")):
            began = time.perf_counter()
            loaded[model_class] = load_predictor(workspace, name, model_class)
            loaded_s = time.perf_counter() - began
            yield f"load SAEHD df-ud {RESOLUTION}, {model_class}", loaded_s, "s"
        for batch in BATCHES:
            times = _cpu_ms_per_face(loaded, batch)
            for name, cpu_ms in times.items():
                yield f"predict {batch} at once, {name}", cpu_ms, "CPU ms/face"
            yield f"  of the trained model's, {batch} at once", times["dfm"] / times["saehd"], "x"


def _write_models(workspace: Workspace) -> None:
    from engine.models.onnx_export.exporting import dfm_bytes
    from engine.models.saehd.spec import SAEHD
    from engine.train.generations import Generations
    from tests.models.tiny_saehd import saved_by, tiny_saehd

    saved = saved_by(tiny_saehd("df-ud", resolution=RESOLUTION, batch_size=1, **DIMS))
    Generations(workspace.model("big", "saehd")).write(saved.manifest, saved.state)
    path = workspace.models / "big_SAEHD_model.dfm"
    path.write_bytes(dfm_bytes(SAEHD, "big", saved))


def _cpu_ms_per_face(predictors: Mapping[str, FacePredictor], batch: int) -> dict[str, float]:
    """Of all threads together, so that others at work count little; one predictor after the other
    in turns."""
    crops = np.random.default_rng(0).random((batch, RESOLUTION, RESOLUTION, 3), np.float32)
    spent: dict[str, list[float]] = {name: [] for name in predictors}
    for predictor in predictors.values():
        predictor.predict(crops)
    for _ in range(REPEATS):
        for name, predictor in predictors.items():
            began = time.process_time()
            predictor.predict(crops)
            spent[name].append(time.process_time() - began)
    return {name: statistics.median(times) * 1000 / batch for name, times in spent.items()}
