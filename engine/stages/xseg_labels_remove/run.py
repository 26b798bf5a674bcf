"""The stage `xseg-labels-remove`: drawn labels away."""

from __future__ import annotations

from dataclasses import replace

from engine.protocol.stage import StageContext
from engine.stages.stripped_faces import Stripping, strip_faces


def run(context: StageContext) -> None:
    """Remove the drawn labels of a side's faces. Raises as `strip_faces`."""
    strip_faces(
        context,
        Stripping(
            "xseg-labels-remove",
            "drawn labels",
            has=lambda data: bool(data.seg_ie_polys),
            without=lambda data: replace(data, seg_ie_polys=()),
        ),
    )
