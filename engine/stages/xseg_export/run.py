"""The stage `xseg-export`: an XSeg model as an ONNX file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from engine.models.onnx_export.exporting import xseg_onnx_bytes
from engine.models.xseg.predictor import TrainedXSeg, find_xseg
from engine.nets.device import prepare_device
from engine.protocol.stage import StageContext
from engine.stages.outgoing_files import export_file

FILE_NAME = "XSeg_model.onnx"  # as DeepFaceLab calls it


def export_xseg(context: StageContext) -> None:
    """Write `XSeg_model.onnx`.

    Raises `InputError` if there is no such XSeg model, or it is damaged; `ConfirmationNeeded` when
    there is a file of that name and the user did not agree to move it to the trash. Nothing is
    changed then, nor when the disk is full.
    """
    target = Path(context.options["to"] or context.workspace.models).absolute() / FILE_NAME
    trained = export_file(context, target, partial(_read, context), xseg_onnx_bytes)
    context.result(iteration=trained.iteration, bytes=target.stat().st_size, file=str(target))


def _read(context: StageContext) -> TrainedXSeg:
    trained = find_xseg(context.workspace, context.options["xseg_model"], context.warn)
    context.note(f"exporting {trained.source}")
    prepare_device("cpu", context.warn)
    return trained
