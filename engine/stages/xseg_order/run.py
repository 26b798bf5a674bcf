"""The stage `xseg-order`: which faces to label next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from engine.faces.faceset import FaceEntry
from engine.faces.label_order import Candidate, Chosen, candidate, label_order
from engine.media.levels import unit_floats
from engine.models.xseg.predictor import FACES_AT_ONCE, XSegPredictor, load_xseg
from engine.nets.xseg import RESOLUTION
from engine.protocol.errors import InputError
from engine.protocol.label_order import LabelOrder, SuggestedFace, write_label_order
from engine.protocol.stage import StageContext
from engine.train.crops import Crop, CropKind
from engine.train.self_labels import self_labelled_crop
from engine.train.sources import open_training_faces

SHOWN = 10  # of the list, in the run's journal


def run(context: StageContext) -> None:
    """Write the list of a side's faces that are worth labelling.

    Raises `InputError` without a faceset or a net, or when all faces have labels; `Stopped` with
    nothing written.
    """
    options = context.options
    side = context.workspace.side(options["side"])
    faces = open_training_faces(side.aligned, context.check_stop)
    labelled = [face.name for face in faces if face.data.seg_ie_polys]
    looked_at = _spread([f for f in faces if not f.data.seg_ie_polys], options["look_at"])
    if not looked_at:
        raise InputError(
            f"all {len(faces)} faces in {side.aligned} have labels", "there is nothing to suggest"
        )
    net = load_xseg(
        context.workspace, options["model"], device=options["device"], warn=context.warn
    )
    candidates = list(_candidates(context, net, looked_at))
    order = label_order(candidates, labelled, options["count"])
    path = write_label_order(context.workspace, side.name, _as_file(net, order))
    for line in _lines(order[:SHOWN]):
        context.note(line)
    context.result(
        faces=len(faces),
        labelled=len(labelled),
        looked_at=len(candidates),
        suggested=len(order),
        model=net.source,
        list=str(path),
    )


def _spread(faces: Sequence[FaceEntry], count: int) -> list[FaceEntry]:
    """At most so many of them, evenly spread."""
    if len(faces) <= count:
        return list(faces)
    return [faces[int(at)] for at in np.linspace(0, len(faces) - 1, count)]


def _candidates(
    context: StageContext, net: XSegPredictor, faces: Sequence[FaceEntry]
) -> Iterator[Candidate]:
    kind = CropKind(net.face_type, RESOLUTION)
    done = 0
    remaining = iter(faces)
    while portion := list(islice(remaining, FACES_AT_ONCE)):
        context.check_stop()
        crops = dict(_usable(context, portion, kind))
        if crops:
            pictures = np.stack([unit_floats(crop.image_bgr_u8) for crop in crops.values()])
            for (name, crop), mask in zip(crops.items(), net.masks(pictures), strict=True):
                yield candidate(name, mask, unit_floats(crop.mask_u8))
        done += len(portion)
        context.progress(done, len(faces), unit="faces")


def _usable(
    context: StageContext, faces: Sequence[FaceEntry], kind: CropKind
) -> Iterator[tuple[str, Crop]]:
    for face in faces:
        try:
            yield face.name, self_labelled_crop(face, kind)
        except InputError as error:
            context.warn(f"{face.name} is left out: {error.message}", error.remedy)


def _as_file(net: XSegPredictor, order: Sequence[Chosen]) -> LabelOrder:
    faces = tuple(
        SuggestedFace(
            chosen.candidate.name,
            score=round(chosen.score, 4),
            unsure=round(chosen.candidate.unsure, 4),
            differs=round(chosen.candidate.differs, 4),
        )
        for chosen in order
    )
    return LabelOrder(net.source, faces)


def _lines(order: Sequence[Chosen]) -> Iterator[str]:
    for place, chosen in enumerate(order, 1):
        one = chosen.candidate
        yield (
            f"{place}. {one.name}: undecided on {one.unsure:.0%} of the face, differs from the"
            f" landmarks by {one.differs:.0%}"
        )
