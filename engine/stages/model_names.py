"""What the stages that work on a whole model share: which one, and a new name for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, link_or_copy, move
from engine.protocol.model_files import GENERATIONS
from engine.protocol.needs import check_model_name_is_free
from engine.protocol.options import Option, Text
from engine.protocol.stage import StageContext
from engine.protocol.timeline_file import timeline_path
from engine.stages.model_saves import SAVES_RESOURCE, model_folder
from engine.stages.train.spec import NAME_PATTERN, NAME_RULE

# A run that writes in the model's folder, or the looks that its frames are merged with.
WHOLE_MODEL = (
    "model-{model}_{model_class}",
    SAVES_RESOURCE,
    "timelapse-{model}_{model_class}",
    "merged",
)
NEW_MODEL = "model-{to}_{model_class}"

# As for `MODEL`, or nothing: what has no sensible default is asked for by whoever needs it.
NAME_OR_NONE = Text(f"|{NAME_PATTERN}", NAME_RULE)
NEW_NAME = Option(
    "to", "New name", NAME_OR_NONE, "", "A name that no model of this class has yet.", kept=False
)


def whole_model(context: StageContext) -> Path:
    """The folder of a model that can be trained and merged with. Raises `InputError` if there is
    none of that name, and for a folder that is none of ours."""
    folder = model_folder(context)
    if not (folder / GENERATIONS).is_dir():
        raise InputError(
            f"{folder} is no model: it has no saves",
            "choose a model that was trained or imported",
            code="no-model",
        )
    return folder


def command_for_model(context: StageContext, stage_id: str, *words: str) -> str:
    """The command line, from any folder, of a stage on the model that this one works on."""
    options = context.options
    of_model = ("--model", options["model"], "--model-class", options["model_class"])
    given = ("-w", str(context.workspace.root), *of_model, *words)
    return shlex.join(("facewright", "run", stage_id, *given))


def new_folder(context: StageContext) -> Path:
    """Where the model of the new name belongs. Raises `InputError` if the name is taken."""
    options = context.options
    check_model_name_is_free(context.workspace, options)
    return context.workspace.model(options["to"], options["model_class"])


def own_timeline(context: StageContext) -> Path:
    """Where the looks that the model's frames are merged with lie, if there are any."""
    options = context.options
    return timeline_path(context.workspace, options["model"], options["model_class"])


@contextmanager
def timeline_given(context: StageContext) -> Iterator[None]:
    """For the block in which the model takes its new name: it has the same looks then, and those
    that an earlier model of that name left are in the trash. If the block fails, all is as it was;
    a kill leaves looks, never a model without. Raises `InputError` if the disk refuses."""
    options, workspace = context.options, context.workspace
    target = timeline_path(workspace, options["to"], options["model_class"])
    left = workspace.move_to_trash([target], f"looks-{options['to']}")
    try:
        _link_timeline(own_timeline(context), target)
        yield
    except BaseException:
        if not workspace.model(options["to"], options["model_class"]).exists():
            target.unlink(missing_ok=True)
            if left is not None:
                move(left / target.relative_to(workspace.root), target)
        raise
    if left is not None:
        context.note(f"looks of an earlier model {options['to']} are in {left}")


def _link_timeline(source: Path, target: Path) -> None:
    if not source.is_file():
        return
    try:
        link_or_copy(source, target)  # it is only ever replaced
    except OSError as error:
        raise disk_error(error, target) from error
