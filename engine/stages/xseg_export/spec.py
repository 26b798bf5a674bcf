"""The stage xseg-export as data."""

from engine.protocol.options import FilePath, Option
from engine.protocol.spec import StageSpec
from engine.stages.xseg_apply.spec import XSEG_MODEL

XSEG_EXPORT = StageSpec(
    id="xseg-export",
    title="Export XSeg",
    group="Masks",
    summary="Write an XSeg model as one ONNX file, for other programs",
    code="engine.stages.xseg_export.run:export_xseg",
    needs=("workspace", "writable"),
    resources=("xseg-export",),
    replaces="XSeg_model.onnx in that folder",
    help="Writes XSeg_model.onnx: pictures of 256 px, BGR 0 to 1, in; what is face, 0 to 1, out."
    " Also while the model is being trained; the model itself stays as it is.",
    options=(
        XSEG_MODEL,
        Option(
            "to",
            "Folder",
            FilePath(),
            "",
            "Where to put the file; when not given, the workspace's folder model.",
        ),
    ),
)
