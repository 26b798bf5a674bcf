"""The stage `dfm-export`: a save of a model as a file that DeepFaceLive plays."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from engine.models.classes import model_spec
from engine.models.onnx_export.exporting import PLAYED_NETS, class_title, dfm_bytes
from engine.nets.device import prepare_device
from engine.protocol.dfm_files import SUFFIX
from engine.protocol.stage import StageContext
from engine.stages.model_saves import model_folder
from engine.stages.outgoing_files import chosen_save, export_file
from engine.train.generations import Generation


def export_dfm(context: StageContext) -> None:
    """Write `NAME_CLASS_model.dfm`.

    Raises `InputError` for a model or save that is not there or damaged, and for one that is too
    large for such a file; `ConfirmationNeeded` when there is a file of that name and the user did
    not agree to move it to the trash. Nothing is changed then, nor when the disk is full.
    """
    name, spec = context.options["model"], model_spec(context.options["model_class"])
    folder = Path(context.options["to"] or context.workspace.models).absolute()
    target = folder / f"{name}_{class_title(spec)}_model{SUFFIX}"
    as_bytes = partial(dfm_bytes, spec, name, quantised=context.options["quantised"])
    saved = export_file(context, target, partial(_read, context), as_bytes)
    size_bytes = target.stat().st_size
    context.result(iteration=saved.manifest.iteration, bytes=size_bytes, file=str(target))


def _read(context: StageContext) -> Generation:
    saved = chosen_save(context, model_folder(context), PLAYED_NETS.__contains__)
    context.note(f"exporting the save of iteration {saved.manifest.iteration}")
    if saved.manifest.options.get("pretrain"):
        context.warn("the save is of pretraining, and swaps no faces yet", "train it on a pair")
    prepare_device("cpu", context.warn)
    return saved
