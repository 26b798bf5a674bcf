"""The stage `dfm-export`: a save of a model as a file that DeepFaceLive plays."""

from __future__ import annotations

from pathlib import Path

from engine.models.classes import model_spec
from engine.models.onnx_export.exporting import PLAYED_NETS, class_title, dfm_bytes
from engine.nets.device import prepare_device
from engine.protocol.dfm_files import SUFFIX
from engine.protocol.stage import StageContext
from engine.stages.model_saves import model_folder
from engine.stages.outgoing_files import chosen_save, put_file, require_agreement

_STEPS = 3


def export_dfm(context: StageContext) -> None:
    """Write `NAME_CLASS_model.dfm`.

    Raises `InputError` for a model or save that is not there or damaged, and for one that is too
    large for such a file; `ConfirmationNeeded` when there is a file of that name and the user did
    not agree to move it to the trash. Nothing is changed then, nor when the disk is full.
    """
    name, spec = context.options["model"], model_spec(context.options["model_class"])
    folder = Path(context.options["to"] or context.workspace.models).absolute()
    target = folder / f"{name}_{class_title(spec)}_model{SUFFIX}"
    present = [target] if target.exists() else []
    require_agreement(context, present, f"{target} is there", "another folder")
    context.progress(0, _STEPS, unit="steps", note="reading the save")
    saved = chosen_save(context, model_folder(context), PLAYED_NETS.__contains__)
    iteration = saved.manifest.iteration
    context.note(f"exporting the save of iteration {iteration}")
    if saved.manifest.options.get("pretrain"):
        context.warn("the save is of pretraining, and swaps no faces yet", "train it on a pair")
    context.check_stop()
    context.progress(1, _STEPS, unit="steps", note="writing the net down")
    prepare_device("cpu", context.warn)
    data = dfm_bytes(spec, name, saved, quantised=context.options["quantised"])
    context.check_stop()
    context.progress(2, _STEPS, unit="steps", note="writing the file")
    put_file(context, target, data)
    context.progress(_STEPS, _STEPS, unit="steps")
    context.result(iteration=iteration, bytes=len(data), file=str(target))
