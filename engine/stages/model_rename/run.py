"""The stage `model-rename`: one rename of the model's folder.

The looks of merging get their second name first and lose the first one last, so that a kill leaves
a model that has them, whatever it is called then.
"""

from __future__ import annotations

from engine.protocol.files import disk_error, sync
from engine.protocol.stage import StageContext
from engine.stages.model_names import new_folder, own_timeline, timeline_given, whole_model


def rename_model(context: StageContext) -> None:
    """Rename the model. Raises `InputError` if there is none of that name, or one of the new name;
    nothing has changed then."""
    folder, target = whole_model(context), new_folder(context)
    try:
        with timeline_given(context):
            folder.rename(target)
        sync(target.parent)
        own_timeline(context).unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error, target) from error
    context.result(model=context.options["to"], folder=str(target))
