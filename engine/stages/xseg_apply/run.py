"""The stage `xseg-apply`: each face file gets the mask that an XSeg net sees in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_file import read_face, read_face_data, read_jpeg, replace_face_data
from engine.faces.face_type import FaceType
from engine.media.images import decode_face_bgr_u8
from engine.models.xseg.masking import MaskCrop, mask_crop
from engine.models.xseg.predictor import XSegPredictor, load_xseg
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.stage import StageContext
from engine.stages.kept_metadata import keep_metadata
from engine.stages.loose_faces import swept_loose_faces
from engine.stages.xseg_apply.ledger import Ledger

# Few enough that a slow CPU is done with them within a second; more bring it nothing.
FACES_AT_ONCE_ON_CPU = 2
FACES_AT_ONCE_ON_GPU = 16
LEAST_FACE = 0.5  # of what the net says; masks are stored as 0 and 1
_NAMED_AT_MOST = 20


@dataclass
class _Outcome:
    """How many faces were masked, and those that cannot be with the reason."""

    masked: int = 0
    empty: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Opened:
    """A face file as the net is to see it."""

    path: Path
    crop: MaskCrop


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
    done, total, remaining = skipped, skipped + len(waiting), iter(waiting)
    context.progress(done, total, unit="faces", skipped=skipped)
    while portion := list(islice(remaining, at_once)):
        context.check_stop()
        _mask_portion(net, list(_opened(context, portion, face_type, outcome)), ledger, outcome)
        done += len(portion)
        context.progress(done, total, unit="faces", skipped=skipped)
    return outcome


def _opened(
    context: StageContext, paths: Sequence[Path], face_type: FaceType | None, outcome: _Outcome
) -> Iterator[_Opened]:
    for path in paths:
        try:
            yield _open(path, face_type)
        except InputError as error:
            outcome.problems.append(f"{path.name}: {error.message}")
            if len(outcome.problems) <= _NAMED_AT_MOST:
                context.warn(f"left as it is: {outcome.problems[-1]}", error.remedy)


def _open(path: Path, face_type: FaceType | None) -> _Opened:
    jpeg_bytes, data, _ = read_face(path)
    return _Opened(path, mask_crop(decode_face_bgr_u8(jpeg_bytes, path), data, face_type))


def _mask_portion(
    net: XSegPredictor, faces: Sequence[_Opened], ledger: Ledger, outcome: _Outcome
) -> None:
    if not faces:
        return
    sure = net.masks(np.stack([face.crop.image_bgr for face in faces]))
    for face, of_face in zip(faces, sure, strict=True):
        mask = (face.crop.onto_face(of_face) >= LEAST_FACE).astype(np.float32)
        _write(face.path, bytes_from_mask(mask))
        outcome.masked += 1
        outcome.empty += not mask.any()
    ledger.add(face.path for face in faces)


def _write(path: Path, mask_bytes: bytes) -> None:
    """Into what the file holds now: somebody may have drawn on it meanwhile."""
    jpeg_bytes = read_jpeg(path)
    data = read_face_data(jpeg_bytes)
    if data is None:
        raise InputError(f"{path} lost its metadata meanwhile", "extract this face again")
    changed = replace(data, xseg_mask_compressed=mask_bytes)
    write_atomically(path, replace_face_data(jpeg_bytes, changed), durable=False)


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
