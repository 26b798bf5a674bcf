"""A report on 12 faces of src against dst, as the engine would have left it."""

from __future__ import annotations

import time

from engine.protocol.faceset_report import (
    REPORT_VERSION,
    Advice,
    Cell,
    Coverage,
    DoubtfulLandmarks,
    Duplicates,
    FacesetReport,
    Hole,
    NearlyIdentical,
    Overview,
    Sharpness,
    Spread,
    encode_report,
    report_path,
)
from engine.protocol.workspace import Workspace

DOUBTFUL = ("00003_0.jpg", "00007_0.jpg")
SPREAD = Spread(0, 0, 0, 0, 0)


def made_coverage() -> Coverage:
    """Facing: 45 dst faces, one not covered with the mouth open. To the left and up: 2, none
    covered. Far to the right and down: only src."""
    cells = [
        Cell(0, 0, 0, 0, 0, src=8, dst=40, lacking=0),
        Cell(0, 0, 2, 1, 0, src=3, dst=5, lacking=1),
        Cell(2, 1, 0, -1, 0, src=0, dst=2, lacking=2),
        Cell(-9, -4, 7, 0, 0, src=1, dst=0, lacking=0),
    ]
    left, mouth = (2, 1, 0, -1, 0), (0, 0, 2, 1, 0)
    names = ["00001_0.jpg", "00002_0.jpg"]
    holes = [
        Hole("30° to the left", left, "pose", "add angles", 2, ["00001.png"], names),
        Hole("facing, mouth open", mouth, "mouth", "add mouths", 1, ["00003.png"], ["00003_0.jpg"]),
    ]
    return Coverage(47, 44, 45, 15.0, 15.0, cells, holes, ["00001_0.jpg"], 2)


def made_report(coverage: Coverage | None) -> FacesetReport:
    """Two doubtful faces, three that are nearly identical, and the coverage."""
    overview = Overview(
        faces=12,
        frames=11,
        without_frame_name=0,
        with_applied_mask=0,
        with_labels=0,
        no_faces={},
        sizes_px={"32x32": 12},
        face_types={"whole_face": 12},
        rect_side_px=None,
        small_faces=[],
        yaw_deg=SPREAD,
        pitch_deg=SPREAD,
        mouth_open=SPREAD,
        brightness=SPREAD,
    )
    advice = [
        Advice("doubtful_landmarks", f"2 faces with doubtful landmarks: {DOUBTFUL}", "remove them"),
        *([Advice("coverage", "src lacks this", "add it")] if coverage else []),
        Advice("duplicates", "2 of 12 faces are nearly identical", "they can go"),
    ]
    return FacesetReport(
        version=REPORT_VERSION,
        side="src",
        made_at=round(time.time()) - 60,
        overview=overview,
        sharpness=Sharpness(SPREAD, []),
        doubtful_landmarks=[DoubtfulLandmarks(name, "", "no [b]head\x1b[2J") for name in DOUBTFUL],
        people=None,
        duplicates=Duplicates(2, [NearlyIdentical("00009_0.jpg", ["00010_0.jpg", "00011_0.jpg"])]),
        coverage=coverage,
        advice=advice,
    )


def write_report(workspace: Workspace, report: FacesetReport) -> None:
    path = report_path(workspace, report.side)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_report(report))
