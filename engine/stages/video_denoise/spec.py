"""The stage video-denoise as data."""

from engine.protocol.options import Integer, Option
from engine.protocol.spec import FRESH, StageSpec

VIDEO_DENOISE = StageSpec(
    id="video-denoise",
    title="Denoise frames",
    group="Video",
    summary="Take the noise out of the dst frames, so that faces are found and matched better",
    code="engine.stages.video_denoise.run:run",
    options=(
        Option(
            "factor",
            "Strength",
            Integer(1, 20),
            7,
            "How strongly to smooth: each frame within itself, and with the frames around it.",
        ),
        FRESH,
    ),
    needs=("writable", "dst-frames"),
    resources=("frames-dst",),
    replaces="the frames of data_dst",
    help="Makes all frames anew in data_dst/denoised and then puts them in the place of the"
    " originals, which go to the workspace's trash. Faces that were extracted before stay as they"
    " are. Needs room for the frames twice.",
)
