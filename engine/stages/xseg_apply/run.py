"""The stage `xseg-apply`: each face file gets the mask that an XSeg net sees in it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.faces.face_file import read_face_data
from engine.faces.face_type import FaceType
from engine.media.bounded_pool import pool_threads
from engine.models.xseg.predictor import XSegPredictor, load_xseg
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.stages.kept_metadata import keep_metadata
from engine.stages.loose_faces import swept_loose_faces
from engine.stages.xseg_apply.in_flight import Opened, Unusable, Writing, opened_ahead
from engine.stages.xseg_apply.ledger import Ledger

# Few enough that a slow CPU is done with them within a second; more bring it nothing.
FACES_AT_ONCE_ON_CPU = 2
FACES_AT_ONCE_ON_GPU = 16
_NAMED_AT_MOST = 20


@dataclass
class _Outcome:
    """How many faces were masked, and those that cannot be with the reason."""

    masked: int = 0
    empty: int = 0
    problems: list[str] = field(default_factory=list)


def run(context: StageContext) -> None:
    """Mask the faces of a side, going on where an earlier run stopped.

    Raises `InputError` without a model, for a packed faceset, when no face can be used or the disk
    is full; `Stopped` with all masked faces kept.
    """
    options = context.options
    side = context.workspace.side(options["side"])
    paths = swept_loose_faces(side)
    net = load_xseg(
        context.workspace, options["xseg_model"], device=options["device"], warn=context.warn
    )
    face_type = _wanted_type(options["face_type"], net)
    context.note(f"masking by {net.source}")
    shown = face_type.short if face_type else "same"
    made_by = f"{net.fingerprint} {shown}"
    ledger = Ledger(context.workspace, side, made_by, fresh=options["fresh"])
    waiting = [path for path in paths if not ledger.has(path)]
    earlier = [path for path in waiting if _has_mask(context, path)]
    if earlier:
        keep_metadata(context, side, "xseg-apply", earlier)
    outcome = _mask_all(context, net, face_type, waiting, ledger, skipped=len(paths) - len(waiting))
    _report(context, outcome, len(paths), len(waiting))


def _wanted_type(chosen: str, net: XSegPredictor) -> FaceType | None:
    """None for faces as they are."""
    if chosen == "same":
        return None
    return net.face_type if chosen == "auto" else FaceType.from_short(chosen)


def _has_mask(context: StageContext, path: Path) -> bool:
    context.check_stop()
    try:
        data = read_face_data(path)
    except InputError:
        return False  # told of when its turn comes
    return data is not None and data.xseg_mask_compressed is not None


def _mask_all(
    context: StageContext,
    net: XSegPredictor,
    face_type: FaceType | None,
    waiting: Sequence[Path],
    ledger: Ledger,
    *,
    skipped: int,
) -> _Outcome:
    outcome = _Outcome()
    at_once = FACES_AT_ONCE_ON_GPU if net.is_on_gpu else FACES_AT_ONCE_ON_CPU
    portions = [waiting[first : first + at_once] for first in range(0, len(waiting), at_once)]
    done, total = skipped, skipped + len(waiting)

    def written(paths: list[Path], empty: int, unusable: list[Unusable]) -> None:
        outcome.masked += len(paths)
        outcome.empty += empty
        _tell_unusable(context, unusable, outcome)
        ledger.add(paths)

    context.progress(done, total, unit="faces", skipped=skipped)
    with (
        ThreadPoolExecutor(pool_threads()) as pool,
        closing(opened_ahead(pool, portions, face_type)) as ahead,
        Writing(pool, written) as writing,
    ):
        for faces in ahead:
            context.check_stop()
            usable = [face for face in faces if isinstance(face, Opened)]
            unusable = [face for face in faces if isinstance(face, Unusable)]
            _tell_unusable(context, unusable, outcome)
            if usable:
                writing.put(usable, net.masks(np.stack([face.crop.image_bgr for face in usable])))
            done += len(faces)
            context.progress(done, total, unit="faces", skipped=skipped)
    return outcome


def _tell_unusable(context: StageContext, faces: Sequence[Unusable], outcome: _Outcome) -> None:
    for face in faces:
        outcome.problems.append(f"{face.path.name}: {face.error.message}")
        if len(outcome.problems) <= _NAMED_AT_MOST:
            context.warn(f"left as it is: {outcome.problems[-1]}", face.error.remedy)


def _report(context: StageContext, outcome: _Outcome, faces: int, waiting: int) -> None:
    if waiting and len(outcome.problems) == waiting:
        raise InputError(
            f"none of the {waiting} faces can be used; the first: {outcome.problems[0]}",
            "extract them again",
            code="bad-picture",
        )
    if outcome.empty:
        context.warn(
            f"the model sees no face at all in {outcome.empty} pictures: their masks are empty",
            "look at them, label some, and train on; training learns nothing of such faces",
        )
    context.result(
        faces=faces,
        masked=outcome.masked,
        masked_before=faces - waiting,
        empty=outcome.empty,
        left_out=len(outcome.problems),
    )
