"""The XSeg net that looks with an XSeg mask want."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces.face_type import FaceType
from engine.protocol.stage import StageContext

if TYPE_CHECKING:
    from engine.models.xseg.predictor import XSegPredictor


def load_segmenter(context: StageContext, shown: FaceType) -> XSegPredictor:
    """The net that the options name, which is asked about faces that show that much. Raises
    `InputError` where there is none."""
    from engine.models.xseg.predictor import load_xseg  # loads TensorFlow, and few looks want it

    options = context.options
    net = load_xseg(
        context.workspace, options["xseg_model"], device=options["device"], warn=context.warn
    )
    context.note(f"XSeg masks are those of {net.source}")
    if net.face_type is not shown:
        context.warn(
            f"the XSeg model was trained for {net.face_type.dfl_name}, the faces here are"
            f" {shown.dfl_name}: its masks may be wrong",
            "use an XSeg model of the same face type",
        )
    return net
