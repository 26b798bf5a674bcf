"""The report on a faceset, `.facewright/reports/SIDE.json`: the engine writes, the app shows it.

Names of faces are file names in the side's `aligned` folder; those of holes are dst's.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace

REPORT_VERSION = 2
MAX_REPORT_BYTES = 256 << 20  # a report on 100 000 faces takes 20 MB at most
# What a mouth is called by its steps of openness; the last stands for all above.
MOUTHS = ("closed", "a little open", "open", "wide open")


class Spread(msgspec.Struct, frozen=True):
    """How a number is spread over the faces."""

    min: float
    p10: float
    median: float
    p90: float
    max: float


class Overview(msgspec.Struct, frozen=True):
    """Counts, sizes, kinds. no_faces: files that are none, with the reason. small_faces: detected
    so small that they fill their picture with little detail."""

    faces: int
    frames: int
    without_frame_name: int
    with_applied_mask: int
    with_labels: int
    no_faces: dict[str, str]
    sizes_px: dict[str, int]
    face_types: dict[str, int]
    rect_side_px: Spread | None
    small_faces: list[str]
    yaw_deg: Spread
    pitch_deg: Spread
    mouth_open: Spread
    brightness: Spread


class Sharpness(msgspec.Struct, frozen=True):
    """blurred: the faces that are much less sharp than the others, the worst first."""

    spread: Spread
    blurred: list[str]


class DoubtfulLandmarks(msgspec.Struct, frozen=True):
    """A face whose landmarks are likely wrong, with the frame ("" if unknown) and the reason."""

    file: str
    frame: str
    why: str


class OtherFace(msgspec.Struct, frozen=True):
    """A face that is not the wanted person's; people are numbered from 1, most faces first."""

    file: str
    person: int
    distance: float


class People(msgspec.Struct, frozen=True):
    """Who is there. others: surely other people's faces; perhaps_others: those in between."""

    count: int
    wanted: int
    faces_of: dict[str, int]
    others: list[OtherFace]
    perhaps_others: list[OtherFace]


class NearlyIdentical(msgspec.Struct, frozen=True):
    """Faces that show the same; `kept` is the sharpest."""

    kept: str
    others: list[str]


class Duplicates(msgspec.Struct, frozen=True):
    """superfluous: how many faces are nearly identical to sharper ones."""

    superfluous: int
    groups: list[NearlyIdentical]


class Hole(msgspec.Struct, frozen=True):
    """A way of looking that dst has and src has not. place: the first five of its `Cell`. missing:
    what src lacks, "pose", "mouth", "light" or "combination"."""

    looks: str
    place: tuple[int, int, int, int, int]
    missing: str
    do: str
    dst_faces: int
    frames: list[str]
    files: list[str]


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """How many faces look so, in rounded steps: yaw (positive to the picture's left), pitch
    (positive up), mouth, side of the light (positive: right), level of the light. lacking: faces
    of dst without enough src faces within a step of them."""

    yaw: int
    pitch: int
    mouth: int
    light_side: int
    light_level: int
    src: int
    dst: int
    lacking: int


class Coverage(msgspec.Struct, frozen=True):
    """What dst shows and src does not. cells: every way of looking that a face of either has."""

    dst_faces: int
    dst_faces_covered: int
    pose_covered: int
    yaw_step_deg: float
    pitch_step_deg: float
    cells: list[Cell]
    holes: list[Hole]
    most_needed_src_faces: list[str]
    src_faces_not_needed: int


class Advice(msgspec.Struct, frozen=True):
    """What to do about a finding. about: the report's field it comes from. is_warning: whether it
    is worth doing something."""

    about: str
    what: str
    do: str
    is_warning: bool = True


class FacesetReport(msgspec.Struct, frozen=True):
    """A side's report. made_at: seconds since 1970. people: None unless identities were asked for;
    coverage: None unless both sides have faces. advice: the weightiest first."""

    version: int
    side: str
    made_at: int
    overview: Overview
    sharpness: Sharpness
    doubtful_landmarks: list[DoubtfulLandmarks]
    people: People | None
    duplicates: Duplicates
    coverage: Coverage | None
    advice: list[Advice] = []


def report_path(workspace: Workspace, side_name: str) -> Path:
    """Where the side's report lies."""
    return workspace.state / "reports" / f"{side_name}.json"


def encode_report(report: FacesetReport) -> bytes:
    """Indented JSON."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1)


def read_report(workspace: Workspace, side_name: str) -> FacesetReport | None:
    """The side's report; None if there is none. Raises `InputError` for one that cannot be read."""
    path = report_path(workspace, side_name)
    if not path.is_file():
        return None
    remedy = "run faceset-report again"
    try:
        if path.stat().st_size > MAX_REPORT_BYTES:
            raise InputError(
                f"the report {path} is larger than {MAX_REPORT_BYTES >> 20} MB", remedy
            )
        encoded = path.read_bytes()
        if msgspec.json.decode(encoded, type=_Versioned).version != REPORT_VERSION:
            raise InputError(f"the report {path} is another version's", remedy)
        return msgspec.json.decode(encoded, type=FacesetReport)
    except msgspec.MsgspecError as error:
        raise InputError(f"the report {path} cannot be read: {error}", remedy) from error
    except OSError as error:
        raise InputError(f"the report {path} cannot be read: {error.strerror}", remedy) from error


class _Versioned(msgspec.Struct):
    version: int
