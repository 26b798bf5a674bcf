"""A model exported here is played as it was trained, and says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.models.onnx_export.exporting import dfm_bytes
from engine.models.predictor import load_predictor
from engine.models.saehd.spec import SAEHD
from engine.protocol.workspace import Workspace
from engine.train.generations import Generations
from tests.models.tiny_saehd import MadeBatches, saved_by, tiny_saehd


@pytest.mark.slow  # builds a net
def test_a_model_that_was_exported_here_swaps_as_before(tmp_path: Path) -> None:
    workspace, saved = Workspace(tmp_path), saved_by(tiny_saehd("liae-ud", face_type="f"))
    Generations(workspace.model("tiny", "saehd")).write(saved.manifest, saved.state)
    (workspace.models / "tiny_SAEHD_model.dfm").write_bytes(dfm_bytes(SAEHD, "tiny", saved))
    trained = load_predictor(workspace, "tiny", "saehd", "cpu")
    ready = load_predictor(workspace, "tiny_SAEHD_model", "dfm", "cpu")
    assert (ready.face_type, ready.resolution) == (FaceType.FULL, trained.resolution)
    assert ready.iteration == trained.iteration
    crops = MadeBatches(3).next().dst.target_bgr
    for ours, theirs in zip(
        vars(ready.predict(crops)).values(), vars(trained.predict(crops)).values(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
