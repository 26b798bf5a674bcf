"""Video to frames: `data_SIDE.*` into `data_SIDE/00001.png`, ..."""

from engine.protocol.options import Choice, Integer, Number, Option, When
from engine.protocol.spec import FRESH, SIDE, StageSpec

VIDEO_EXTRACT = StageSpec(
    id="video-extract",
    title="Extract frames",
    group="Video",
    summary="Take the frames out of data_src.* or data_dst.*",
    code="engine.stages.video_extract.run:extract_video",
    needs=("writable", "video"),
    resources=("frames-{side}",),
    replaces="frames of an earlier extraction with other settings or from another video",
    help="Writes every presented frame of the side's video, upright, as data_SIDE/00001.png and so"
    " on. An interrupted extraction goes on after its last whole frame. Pictures with other names"
    " in the folder are left alone.",
    options=(
        SIDE,
        Option(
            "fps",
            "Frames per second",
            Number(0, 240, step=1),
            0.0,
            "How many frames of each second to keep; 0 keeps all. For src only: dst frames must all"
            " be there, since the result is made from them.",
            unit="1/s",
            applies=When("side", ("src",)),
        ),
        Option(
            "format",
            "Image format",
            Choice((("png", "without loss"), ("jpg", "about a tenth of the space and time"))),
            "png",
            "What the frames are stored as.",
        ),
        Option(
            "jpeg_quality",
            "JPEG quality",
            Integer(50, 100),
            95,
            "Higher is better and larger; 95 can hardly be told from the original.",
            applies=When("format", ("jpg",)),
        ),
        Option(
            "png_compression",
            "PNG compression",
            Integer(0, 9),
            1,
            "Higher is smaller and much slower; the picture is the same.",
            applies=When("format", ("png",)),
            advanced=True,
        ),
        FRESH,
    ),
)
