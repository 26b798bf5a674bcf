"""The stage `xseg-export`: an XSeg model as an ONNX file."""

from __future__ import annotations

from pathlib import Path

from engine.models.onnx_export.exporting import xseg_onnx_bytes
from engine.models.xseg.predictor import find_xseg
from engine.nets.device import prepare_device
from engine.protocol.stage import StageContext
from engine.stages.outgoing_files import put_file, require_agreement

FILE_NAME = "XSeg_model.onnx"  # as DeepFaceLab calls it
_STEPS = 3


def export_xseg(context: StageContext) -> None:
    """Write `XSeg_model.onnx`.

    Raises `InputError` if there is no such XSeg model, or it is damaged; `ConfirmationNeeded` when
    there is a file of that name and the user did not agree to move it to the trash. Nothing is
    changed then, nor when the disk is full.
    """
    target = Path(context.options["to"] or context.workspace.models).absolute() / FILE_NAME
    present = [target] if target.exists() else []
    require_agreement(context, present, f"{target} is there", "another folder")
    context.progress(0, _STEPS, unit="steps", note="reading the weights")
    trained = find_xseg(context.workspace, context.options["xseg_model"], context.warn)
    context.note(f"exporting {trained.source}")
    context.check_stop()
    context.progress(1, _STEPS, unit="steps", note="writing the net down")
    prepare_device("cpu", context.warn)
    data = xseg_onnx_bytes(trained)
    context.check_stop()
    context.progress(2, _STEPS, unit="steps", note="writing the file")
    put_file(context, target, data)
    context.progress(_STEPS, _STEPS, unit="steps")
    context.result(iteration=trained.iteration, bytes=len(data), file=str(target))
