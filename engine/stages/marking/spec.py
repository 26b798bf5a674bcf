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
    " that everybody can check it with `facewright verify` and other programs. A studio's own"
    " certificate is named in the table [signing] of settings.toml (certificate and key, PEM files;"
    " or pkcs12) or in the environment (FACEWRIGHT_SIGNING_CERTIFICATE and _KEY, or _PKCS12; a"
    " password in FACEWRIGHT_SIGNING_PASSWORD); without one a self-made certificate signs. Where"
    " marking is turned off for this workspace, the reason and the time are kept in"
    " .facewright/marking.jsonl, and the home screen says so.",
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
