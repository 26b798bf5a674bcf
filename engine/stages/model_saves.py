"""What the stages that work on a model's saves share: which model, which save."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.models.classes import MODEL_CLASSES
from engine.protocol.errors import InputError
from engine.protocol.options import Choice, Option, Text
from engine.protocol.stage import StageContext
from engine.stages.train.spec import MODEL, MODEL_CLASS

KNOWN_MODEL = replace(MODEL, help="The name of the model.")
KNOWN_MODEL_CLASS = replace(
    MODEL_CLASS,
    kind=Choice(tuple((spec.id, spec.summary) for spec in MODEL_CLASSES)),
    help="Which kind of model it is.",
)
# DeepFaceLab has the others neither to read nor to write.
DFL_MODEL_CLASS = replace(
    KNOWN_MODEL_CLASS,
    kind=Choice(tuple((spec.id, spec.summary) for spec in MODEL_CLASSES if spec.dfl_class)),
)
# What no two runs may do at once, though one may train meanwhile.
SAVES_RESOURCE = "model-{model}_{model_class}-saves"

SAVE = Option(
    "save",
    "Save",
    Text(r"[\w .:/-]{0,140}", "the name of a backup or snapshot, or an iteration"),
    "",
    "Which save: a snapshot's or backup's name, or the iteration of one of the newest saves. A name"
    " that does not exist is answered with those that do.",
)


def model_folder(context: StageContext) -> Path:
    """The model's folder. Raises `InputError` if there is none."""
    name, model_class = context.options["model"], context.options["model_class"]
    folder = context.workspace.model(name, model_class)
    if not folder.is_dir():
        models = context.workspace.models
        folders = models.iterdir() if models.is_dir() else ()
        known = sorted(path.name for path in folders if path.is_dir())
        raise InputError(
            f"there is no model {name} of class {model_class} in {models}",
            f"choose one of these (NAME_CLASS): {', '.join(known) or 'none'}",
            code="no-model",
        )
    return folder
