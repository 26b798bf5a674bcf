"""Cut a piece out of a video."""

from engine.protocol.options import FilePath, Integer, Number, Option, TimeCode
from engine.protocol.spec import SIDE, StageSpec

VIDEO_CUT = StageSpec(
    id="video-cut",
    title="Cut video",
    group="Video",
    summary="Copy a piece of a video to NAME_cut beside it",
    code="engine.stages.video_cut.run:cut_video",
    needs=("workspace",),
    resources=("video-cut",),
    replaces="an earlier NAME_cut file",
    help="Exact to the frame: the piece begins with the first frame at or after `from` and ends"
    " with the last frame before `to`. It is encoded anew as H.264; the original stays as it is.",
    options=(
        SIDE,
        Option(
            "input",
            "Video",
            FilePath(),
            "",
            "The video to cut; when not given, the side's data_src.* or data_dst.*.",
        ),
        Option("from", "From", TimeCode(), 0.0, "Where the piece begins.", unit="s"),
        Option("to", "To", TimeCode(), 0.0, "Where the piece ends; 0: at the end.", unit="s"),
        Option(
            "audio_track",
            "Audio track",
            Integer(0, 99),
            0,
            "Which of the video's audio tracks to take, counted from 0.",
            advanced=True,
        ),
        Option(
            "bitrate",
            "Bitrate",
            Number(1, 500, step=1),
            25.0,
            "How much the encoder may spend on a second of video.",
            unit="Mbit/s",
        ),
    ),
)
