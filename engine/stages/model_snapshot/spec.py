"""The stage model-snapshot as data."""

from dataclasses import replace

from engine.protocol.options import Option, Text
from engine.protocol.spec import StageSpec
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS, SAVE, SAVES_RESOURCE

MODEL_SNAPSHOT = StageSpec(
    id="model-snapshot",
    title="Snapshot model",
    group="Model",
    summary="Give a save of a model a name, under which it stays until it is deleted",
    code="engine.stages.model_snapshot.run:take_snapshot",
    needs=("writable",),
    resources=(SAVES_RESOURCE,),
    help="Training keeps only the newest saves and the best; a snapshot stays. It takes room only"
    " once its save is no longer kept. It can be taken while the model is trained.",
    options=(
        KNOWN_MODEL,
        KNOWN_MODEL_CLASS,
        replace(SAVE, help=f"{SAVE.help} Empty: the newest save."),
        Option(
            "name",
            "Name",
            Text(
                r"([A-Za-z0-9][A-Za-z0-9 ._-]{0,63})?",
                "1 to 64 letters, digits, spaces, dots, dashes and underscores",
            ),
            "",
            "The snapshot's name. Empty: after the iteration.",
        ),
        Option("note", "Note", Text(), "", "A line for yourself, shown where saves are listed."),
    ),
)
