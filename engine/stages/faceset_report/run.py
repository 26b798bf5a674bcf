"""The stage `faceset-report`: what is in a faceset, what is wrong, what to do about it."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from engine.media.images import encode_image, write_image
from engine.protocol.errors import InputError
from engine.protocol.faceset_report import (
    REPORT_VERSION,
    FacesetReport,
    encode_report,
    report_path,
)
from engine.protocol.files import write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.stages.faceset_index.gather import SideFaces, faces_of_side
from engine.stages.faceset_report import findings
from engine.stages.faceset_report.advice import advise
from engine.stages.faceset_report.picture import draw_pose_map


def run(context: StageContext) -> None:
    """Index what is new, find out, write `.facewright/reports/SIDE.json` and `SIDE.png`.

    Raises `InputError` when no file is a face, `UsageError` for a reference that is none.
    """
    name: str = context.options["side"]
    with_identity = bool(context.options["identity"] or context.options["reference"])
    faces = faces_of_side(context, context.workspace.side(name), with_identity=with_identity)
    if faces is None:
        raise InputError(
            f"no file in {context.workspace.side(name).aligned} is a face file",
            f"run faces-extract --side {name} first",
            code="no-faces",
        )
    other = faces_of_side(context, context.workspace.side("src" if name == "dst" else "dst"))
    src, dst = (faces, other) if name == "src" else (other, faces)
    report = _report(context, name, faces, src, dst)
    path = _write(context, name, report, faces, src, dst)
    _tell(context, report, path)


def _report(
    context: StageContext,
    name: str,
    faces: SideFaces,
    src: SideFaces | None,
    dst: SideFaces | None,
) -> FacesetReport:
    doubtful = findings.doubtful_landmarks(faces, context.check_stop)
    reference: str = context.options["reference"]
    people = findings.people(faces, reference, doubtful, context.check_stop)
    context.check_stop()
    duplicates = findings.duplicates(faces, context.check_stop)
    context.check_stop()
    report = FacesetReport(
        version=REPORT_VERSION,
        side=name,
        made_at=round(time.time()),
        overview=findings.overview(faces),
        sharpness=findings.sharpness(faces),
        doubtful_landmarks=doubtful,
        people=people,
        duplicates=duplicates,
        coverage=findings.coverage(src, dst) if src and dst else None,
    )
    return msgspec.structs.replace(report, advice=advise(report))


def _write(
    context: StageContext,
    name: str,
    report: FacesetReport,
    faces: SideFaces,
    src: SideFaces | None,
    dst: SideFaces | None,
) -> Path:
    path = report_path(context.workspace, name)
    make_folder(path.parent)
    title = f"Head angles of {name}: {len(faces.rows)} faces"
    picture = draw_pose_map(
        title, faces.looks, src.looks if src else None, dst.looks if dst else None
    )
    write_image(path.with_suffix(".png"), picture)
    shown = context.run_dir / "report.png"
    shown.write_bytes(encode_image(picture, ".png"))
    context.preview("head angles", shown, 0)
    write_atomically(path, encode_report(report))
    return path


def _tell(context: StageContext, report: FacesetReport, path: Path) -> None:
    for advice in report.advice:
        if advice.is_warning:
            context.warn(advice.what, advice.do)
    coverage, people = report.coverage, report.people
    context.result(
        faces=report.overview.faces,
        frames=report.overview.frames,
        doubtful_landmarks=len(report.doubtful_landmarks),
        nearly_identical=report.duplicates.superfluous,
        blurred=len(report.sharpness.blurred),
        people=people.count if people else None,
        other_peoples_faces=len(people.others) if people else None,
        dst_faces_covered=coverage.dst_faces_covered if coverage else None,
        holes=len(coverage.holes) if coverage else None,
        report=str(path),
    )
