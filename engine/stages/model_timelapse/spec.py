"""The stage model-timelapse as data."""

from engine.protocol.options import Flag, Integer, Number, Option, Text
from engine.protocol.spec import StageSpec
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS

MODEL_TIMELAPSE = StageSpec(
    id="model-timelapse",
    title="Timelapse",
    group="Model",
    summary="Make a video of a model's preview history",
    code="engine.stages.model_timelapse.run:make_timelapse",
    needs=("writable",),
    resources=("timelapse-{model}_{model_class}",),
    replaces="an earlier timelapse of the same page",
    help="Makes timelapse-PAGE.mp4 in the model's folder, from the pictures that training keeps"
    " with --write-preview-history. The whole page is shown, or one face of it.",
    options=(
        KNOWN_MODEL,
        KNOWN_MODEL_CLASS,
        Option(
            "page",
            "Page",
            Text(r"[\w -]{0,80}", "the name of a preview page"),
            "",
            "Which preview page, such as saehd-masked. Empty: the first. A name that does not exist"
            " is answered with those that do.",
        ),
        Option(
            "row",
            "Row",
            Integer(0, 64),
            0,
            "Which row of faces to show, from 1; 0 shows all.",
        ),
        Option(
            "column",
            "Column",
            Integer(0, 64),
            0,
            "Which column of faces to show, from 1; 0 shows all. In the page of five columns these"
            " are src, src as drawn, dst, dst as drawn, and the swap.",
        ),
        Option(
            "seconds",
            "Length",
            Number(0.5, 3600, step=5),
            20.0,
            "How long the video is; pictures are left out or repeated to fit, evenly.",
            unit="s",
        ),
        Option(
            "fps",
            "Frames per second",
            Integer(1, 60),
            25,
            "How many frames a second of the video has.",
            unit="1/s",
        ),
        Option(
            "show_iteration",
            "Show iteration",
            Flag(),
            True,
            "Write the iteration into the lower left corner.",
        ),
    ),
)
