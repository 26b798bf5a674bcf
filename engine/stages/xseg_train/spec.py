"""The stage xseg-train as data: the options of training, those for swapping models left out."""

from __future__ import annotations

from dataclasses import replace

from engine.models.xseg.spec import XSEG
from engine.protocol.options import Choice, Option
from engine.protocol.spec import StageSpec
from engine.stages.train.spec import TRAIN

_PLANS = ("own", "none", "file")  # presets are of options that XSeg does not have
XSEG_NAME = "XSeg"  # what DeepFaceLab calls its only one


def _narrowed(option: Option) -> Option:
    """The train stage's option as XSeg has it."""
    match option:
        case Option(name="model"):
            return replace(option, default=XSEG_NAME)
        case Option(name="model_class"):
            one = Choice(((XSEG.id, XSEG.summary),))
            return replace(option, kind=one, default=XSEG.id, advanced=True)
        case Option(name="plan", kind=Choice(choices=choices)):
            return replace(option, kind=Choice(tuple(row for row in choices if row[0] in _PLANS)))
        case Option(name="remedy", kind=Choice(choices=choices)):
            other_faces = Choice(tuple(row for row in choices if row[0] == "none"))
            return replace(option, kind=other_faces, default="none", advanced=True)
        case _:
            return option


XSEG_TRAIN = StageSpec(
    id="xseg-train",
    title="Train XSeg",
    group="Masks",
    summary="Teach a model which part of a picture is face, from labels or without any",
    code="engine.stages.xseg_train.run:run",
    needs=("workspace", "writable", "any-faceset"),
    resources=("model-{model}_{model_class}",),
    trains_model=True,
    help="Learns from the labelled faces of both sides; see labels for other ways. Then xseg-apply"
    " masks all faces, and merging may use the model itself. Some thousand iterations on a few"
    " dozen labels show what is still missing: label those faces, and go on.",
    options=tuple(_narrowed(option) for option in TRAIN.options),
)
