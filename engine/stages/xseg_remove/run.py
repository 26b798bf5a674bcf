"""The stage `xseg-remove`: applied masks away."""

from __future__ import annotations

from dataclasses import replace

from engine.protocol.stage import StageContext
from engine.stages.stripped_faces import Stripping, strip_faces


def run(context: StageContext) -> None:
    """Remove the applied masks of a side's faces. Raises as `strip_faces`."""
    strip_faces(
        context,
        Stripping(
            "xseg-remove",
            "an applied mask",
            has=lambda data: data.xseg_mask_compressed is not None,
            without=lambda data: replace(data, xseg_mask_compressed=None),
        ),
    )
