"""Merged frames to a video: `data_dst/merged/*` into `result.*`."""

from engine.protocol.options import Choice, Flag, Integer, Number, Option, Text, Unless, When
from engine.protocol.spec import StageSpec
from engine.stages.consent_show.spec import PURPOSE

LOSSY_KINDS = ("mp4", "hevc-10bit", "avi")
ALPHA_KINDS = ("mov-lossless", "prores-4444", "ffv1", "png-sequence")
DRAFT_TEXT = "AI-altered - draft"
NO_LABEL = "none"
LABEL_TEXTS = {
    "ai-altered": "AI-altered",
    "face-replaced": "Face digitally replaced",
    "ai-generated": "Contains AI-generated content",
}
_SILENT_KINDS = ("png-sequence",)
_POSITION = Text(
    r"|\d{1,9}|(\d{1,9}:){0,2}\d{1,9}\.\d{1,9}|(\d{1,9}:){1,2}\d{1,9}",
    "empty, the number of a frame such as 120, or a time such as 4.5, 01:30 or 00:01:30.250",
)

VIDEO_RENDER = StageSpec(
    id="video-render",
    title="Render result",
    group="Video",
    summary="Make result.* from the merged frames",
    code="engine.stages.video_render.run:render_video",
    needs=("writable", "merged", "consent"),
    resources=("result",),
    replaces="a result of the same name",
    help="The result has the number of frames, the frame rate (or time stamps), the colour tags and"
    " the sound of data_dst.*: where the container can hold the sound it is copied, else it is"
    " encoded anew. The lossless kinds keep every pixel of the merged frames as it is (RGB): they"
    " are for editing programs, many players do not show them. A final result wants a consent"
    " record for both sides (stage consent-record): src, whose face is put in, and dst, whose face"
    " is replaced; without them, make a draft. At the end the result is signed as altered (C2PA):"
    " in MP4, AVI and MOV up to 256 MB themselves, else, and with alpha, beside it (.c2pa; for"
    " a folder of pictures over the list SHA256SUMS). The stage marking turns that off. Beside a"
    " final result lies a disclosure sheet (result.mp4.disclosure.md and .json): what was altered,"
    " in which frames, by what, under which consent ids.",
    options=(
        Option(
            "kind",
            "Kind",
            Choice(
                (
                    ("mp4", "H.264, plays everywhere"),
                    ("hevc-10bit", "HEVC with 10 bits in MP4: smaller or better, slower to make"),
                    ("avi", "H.264 in AVI, for old programs; constant frame rate only"),
                    ("mp4-lossless", "H.264 RGB without loss, large"),
                    ("mov-lossless", "PNG in MOV without loss, very large, for editing programs"),
                    (
                        "prores-4444",
                        "ProRes 4444 in MOV: off by 2 levels of 255 at most, very large",
                    ),
                    ("ffv1", "FFV1 in MKV without loss, for archives; times to a millisecond"),
                    ("png-sequence", "a folder of PNG pictures, without sound"),
                )
            ),
            "mp4",
            "Container and codec of the result.",
        ),
        Option(
            "draft",
            "Draft",
            Flag(),
            False,
            f"No consent is asked for; every frame says '{DRAFT_TEXT}' at its top left, in the"
            " kinds for editing programs, too; the result is named result_draft.",
        ),
        PURPOSE,
        Option(
            "label",
            "Visible label",
            Choice(
                (
                    (NO_LABEL, "the pictures stay as they are"),
                    ("bottom-left", "in that corner of every frame"),
                    ("bottom-right", "in that corner of every frame"),
                    ("top-right", "in that corner of every frame"),
                )
            ),
            NO_LABEL,
            "Where every frame says that it was altered.",
        ),
        Option(
            "end_card",
            "End card",
            Number(0, 30, step=1),
            0.0,
            "So long a card at the end says that a face was replaced; the result has so many frames"
            " more. 0: none.",
            unit="s",
        ),
        Option(
            "label_text",
            "Label's words",
            Choice(tuple(LABEL_TEXTS.items())),
            "ai-altered",
            "What the label and the end card say.",
            advanced=True,
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
            "The encoder's scale (lossy kinds): 16 can hardly be told from the frames, 23 is"
            " smaller. HEVC looks as good as H.264 at 2 to 4 more.",
            applies=When("control", ("crf",)),
        ),
        Option(
            "alpha",
            "Alpha",
            Flag(),
            False,
            "Give the result the masks of merged_mask as alpha (not multiplied into the colours),"
            " to be laid over the original in an editing program.",
            applies=When("kind", ALPHA_KINDS),
        ),
        Option(
            "first",
            "First frame",
            _POSITION,
            "",
            "Begin with this frame: its number, counted from 1 as video-extract names frames, or"
            " the time at which it is shown. Empty: at the beginning.",
        ),
        Option(
            "last",
            "Last frame",
            _POSITION,
            "",
            "End with this frame (it is included). Empty: at the end. Sound is cut to match; where"
            " it is copied, at whole packets of some 20 ms.",
        ),
        Option(
            "audio",
            "Sound",
            Flag(),
            True,
            "Take over the sound of data_dst.*.",
            applies=Unless("kind", _SILENT_KINDS),
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
