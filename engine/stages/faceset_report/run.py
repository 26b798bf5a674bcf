"""The stage `faceset-report`: what is in a faceset, what is wrong, what to do about it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from engine.media.images import encode_image, write_image
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.stages.faceset_index.gather import SideFaces, faces_of_side
from engine.stages.faceset_report import findings
from engine.stages.faceset_report.advice import advise
from engine.stages.faceset_report.picture import draw_pose_map

REPORT_VERSION = 1


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
) -> dict[str, Any]:
    report: dict[str, Any] = {
        "version": REPORT_VERSION,
        "side": name,
        "made_at": round(time.time()),
        "overview": findings.overview(faces),
        "sharpness": findings.sharpness(faces),
        "doubtful_landmarks": findings.doubtful_landmarks(faces),
    }
    context.check_stop()
    report["people"] = findings.people(faces, context.options["reference"])
    context.check_stop()
    report["duplicates"] = findings.duplicates(faces, context.check_stop)
    context.check_stop()
    report["coverage"] = findings.coverage(src, dst) if src and dst else None
    report["advice"] = advise(report)
    return report


def _write(
    context: StageContext,
    name: str,
    report: dict[str, Any],
    faces: SideFaces,
    src: SideFaces | None,
    dst: SideFaces | None,
) -> Path:
    folder = make_folder(context.workspace.state / "reports")
    title = f"Head angles of {name}: {len(faces.rows)} faces"
    picture = draw_pose_map(
        title, faces.looks, src.looks if src else None, dst.looks if dst else None
    )
    write_image(folder / f"{name}.png", picture)
    shown = context.run_dir / "report.png"
    shown.write_bytes(encode_image(picture, ".png"))
    context.preview("head angles", shown, 0)
    path = folder / f"{name}.json"
    write_atomically(path, json.dumps(report, indent=1, ensure_ascii=False).encode())
    return path


def _tell(context: StageContext, report: dict[str, Any], path: Path) -> None:
    for advice in report["advice"]:
        context.warn(advice["what"], advice["do"])
    coverage, people = report["coverage"], report["people"]
    context.result(
        faces=report["overview"]["faces"],
        frames=report["overview"]["frames"],
        doubtful_landmarks=len(report["doubtful_landmarks"]),
        nearly_identical=report["duplicates"]["superfluous"],
        blurred=len(report["sharpness"]["blurred"]),
        people=people and people["count"],
        other_peoples_faces=people and len(people["others"]),
        dst_faces_covered=coverage and coverage["dst_faces_covered"],
        holes=coverage and len(coverage["holes"]),
        report=str(path),
    )
