"""The stage marking as data."""

from engine.protocol.options import Choice, Option, Text
from engine.protocol.spec import StageSpec

MARKING = StageSpec(
    id="marking",
    title="Marking on or off",
    group="Workspace",
    summary="Turn the marking of rendered results off, with a reason, or on again",
    code="engine.stages.marking.run:switch",
    needs=("writable",),
    resources=("marking",),
    help="Marking is on: video-render signs each result as altered by a trained model (C2PA), so"
    " that everybody can check it with `facewright verify` and other programs. Where it is turned"
    " off for this workspace, the reason and the time are kept in .facewright/marking.jsonl, and"
    " the home screen says so.",
    options=(
        Option(
            "state",
            "Marking",
            Choice(
                (
                    ("on", "results are signed as altered"),
                    ("off", "results carry no mark; needs a reason"),
                )
            ),
            "on",
            "Whether results of this workspace are marked.",
        ),
        Option(
            "reason",
            "Reason",
            Text(),
            "",
            "Why, in a line; needed to turn marking off.",
        ),
    ),
)
