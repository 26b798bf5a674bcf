"""The stage xseg-apply as data."""

from engine.models.xseg.spec import FACE_TYPES
from engine.protocol.options import Choice, Option, Text
from engine.protocol.spec import DEVICE, FRESH, SIDE, StageSpec

XSEG_MODEL = Option(
    "xseg_model",
    "XSeg model",
    Text(),
    "",
    "The name of a model trained or imported here, or a folder that holds DeepFaceLab's"
    " XSeg_256.npy, such as its generic whole-face model. Not given: the model that was trained"
    " last, else the file in the workspace's folder model.",
)

XSEG_APPLY = StageSpec(
    id="xseg-apply",
    title="Apply masks",
    group="Masks",
    summary="Have a trained XSeg model mask all faces of a side, for training",
    code="engine.stages.xseg_apply.run:run",
    options=(
        SIDE,
        XSEG_MODEL,
        Option(
            "face_type",
            "Face type",
            Choice(
                (
                    ("auto", "what the model was trained for"),
                    ("same", "faces as they are, whatever their type"),
                    *FACE_TYPES,
                )
            ),
            "auto",
            "What the model's own faces show. Others are brought to it for the net, and the mask"
            " brought back.",
            advanced=True,
        ),
        FRESH,
        DEVICE,
    ),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    help="Writes the mask, 256 px, into each face file; drawn labels stay. Training then learns"
    " inside of it. Stopped, it goes on where it was; faces that this model has masked already are"
    " passed over. Masks that were applied before are kept in the workspace's trash.",
)
