"""The stage `xseg-train`: as `train`, on faces with masks."""

from __future__ import annotations

from engine.protocol.stage import StageContext
from engine.stages.train.run import train
from engine.stages.xseg_train.faces import MaskFaces


def run(context: StageContext) -> None:
    """Train an XSeg model. Raises as `engine.stages.train.run.run`."""
    train(context, MaskFaces)
