"""Merged frames to a video: `data_dst/merged/*` into `result.*`."""

from engine.protocol.options import Choice, Flag, Integer, Number, Option, When
from engine.protocol.spec import StageSpec

LOSSY_KINDS = ("mp4", "avi")

VIDEO_RENDER = StageSpec(
    id="video-render",
    title="Render result",
    group="Video",
    summary="Make result.* from the merged frames",
    code="engine.stages.video_render.run:render_video",
    needs=("writable", "merged"),
    resources=("result",),
    replaces="a result of the same name",
    help="The result has the number of frames, the frame rate (or time stamps) and the sound of"
    " data_dst.*. The lossless kinds keep every pixel of the merged frames as it is (RGB): they"
    " are for editing programs, many players do not show them.",
    options=(
        Option(
            "kind",
            "Kind",
            Choice(
                (
                    ("mp4", "H.264, plays everywhere"),
                    ("avi", "H.264 in AVI, for old programs; constant frame rate only"),
                    ("mp4-lossless", "H.264 RGB without loss, large"),
                    ("mov-lossless", "PNG in MOV without loss, very large, for editing programs"),
                )
            ),
            "mp4",
            "Container and codec of the result.",
        ),
        Option(
            "control",
            "Quality by",
            Choice(
                (
                    ("bitrate", "a fixed number of bits per second"),
                    ("crf", "constant quality, whatever it takes"),
                )
            ),
            "bitrate",
            "What decides how good the lossy kinds look.",
            applies=When("kind", LOSSY_KINDS),
        ),
        Option(
            "bitrate",
            "Bitrate",
            Number(1, 500, step=1),
            16.0,
            "How much the encoder may spend on a second of video (lossy kinds).",
            unit="Mbit/s",
            applies=When("control", ("bitrate",)),
        ),
        Option(
            "crf",
            "Constant quality",
            Integer(0, 51),
            16,
            "x264's scale (lossy kinds): 16 can hardly be told from the frames, 23 is smaller.",
            applies=When("control", ("crf",)),
        ),
        Option(
            "audio",
            "Sound",
            Flag(),
            True,
            "Take over the sound of data_dst.*.",
        ),
        Option(
            "mask",
            "Mask video",
            Flag(),
            True,
            "Also make result_mask.* from merged_mask, without loss and without sound, if there are"
            " masks.",
        ),
        Option(
            "fps",
            "Frames per second",
            Number(1, 240, step=1),
            25.0,
            "Used only when the workspace has no data_dst video.",
            unit="1/s",
            advanced=True,
        ),
    ),
)
