"""Ready-to-merge models of DeepFaceLive: `.dfm` files, made here or elsewhere."""

from __future__ import annotations

from engine.protocol.dfm_files import READY_CLASS
from engine.protocol.spec import ModelSpec

DFM = ModelSpec(
    id=READY_CLASS,
    title="DFM",
    summary="Ready to merge: NAME.dfm in the folder model, as DeepFaceLive plays it; not for"
    " training",
    code="engine.models.dfm.predictor:DfmPredictor",
    options=(),
    loss_names=(),
    has_morph_factor=True,
    is_file=True,
)
