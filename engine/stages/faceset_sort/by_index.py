"""Methods that DeepFaceLab does not have, which rank by what the faceset's index knows.

Each gets the run, the side and the files in the order they have; rows of a `Ranking` are places in
that list. Files that are no faces go to the trash, as with the other methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.faces.coverage import needed_by_dst
from engine.faces.duplicates import find_duplicates
from engine.faces.identity import nearest, people_of
from engine.faces.sorting.ranking import Ranking
from engine.protocol.errors import InputError, UsageError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side
from engine.stages.faceset_index.gather import SideFaces, faces_of_side

IndexMethod = Callable[[StageContext, Side, Sequence[Path]], Ranking]


def by_identity(context: StageContext, side: Side, paths: Sequence[Path]) -> Ranking:
    """The wanted person's faces, the surest first; then the other people, most faces first."""
    faces = _faces(context, side, with_identity=True)
    if faces.identities is None:
        raise InputError(
            "some faces have no identity: they could not be read", "see the warnings above"
        )
    frames = [row.source_filename for row in faces.rows]
    persons, means = people_of(frames, faces.boxes, faces.identities, context.check_stop)
    wanted = persons[_reference_row(context, faces)] if context.options["reference"] else 0
    groups = [wanted, *(person for person in range(persons.max() + 1) if person != wanted)]
    order: list[int] = []
    for person in groups:
        members = np.flatnonzero(persons == person)
        closest, _ = nearest(means[members].mean(axis=0), faces.identities[members])
        order.extend(members[closest].tolist())
    context.note(f"{len(groups)} people: {_counts(persons, groups)} faces, in this order")
    return _ranking(faces, order, paths)


def without_duplicates(context: StageContext, side: Side, paths: Sequence[Path]) -> Ranking:
    """Faces that are nearly identical to a sharper one go to the trash; the others keep their
    order."""
    faces = _faces(context, side)
    phashes = np.array([row.phash for row in faces.rows], np.int64)
    sharpness = faces.numbers("sharpness")
    groups = find_duplicates(phashes, faces.thumbs_grey, sharpness, context.check_stop)
    names = [row.name for row in faces.rows]
    twins = {names[row]: names[group.kept] for group in groups for row in group.others}
    order = [row for row, name in enumerate(names) if name not in twins]
    reasons = {name: f"nearly identical to {kept}" for name, kept in twins.items()}
    return _ranking(faces, order, paths, reasons)


def by_coverage(context: StageContext, side: Side, paths: Sequence[Path]) -> Ranking:
    """src faces that dst needs most first: those whose head angle, mouth and light dst shows and
    few others of src do."""
    if side.name != "src":
        raise UsageError(
            "--method coverage sorts src by what dst needs of it", "give --side src", code="side"
        )
    faces = _faces(context, side)
    dst = _faces(context, context.workspace.dst)
    need = needed_by_dst(faces.looks, dst.looks)
    return _ranking(faces, np.argsort(-need, kind="stable").tolist(), paths)


def _faces(context: StageContext, side: Side, *, with_identity: bool = False) -> SideFaces:
    faces = faces_of_side(context, side, with_identity=with_identity)
    if faces is None:
        raise InputError(
            f"no file in {side.aligned} is a face file",
            f"run faces-extract --side {side.name} first",
            code="no-faces",
        )
    return faces


def _reference_row(context: StageContext, faces: SideFaces) -> int:
    reference: str = context.options["reference"]
    return faces.row_named(reference)


def _counts(persons: NDArray[np.int64], groups: Sequence[int]) -> str:
    return ", ".join(str(int((persons == person).sum())) for person in groups)


def _ranking(
    faces: SideFaces,
    order: Sequence[int],
    paths: Sequence[Path],
    reasons: dict[str, str] | None = None,
) -> Ranking:
    """The order of the index's rows as an order of the files."""
    place = {path.name: at for at, path in enumerate(paths)}
    stay = tuple(place[faces.rows[row].name] for row in order if faces.rows[row].name in place)
    left = set(range(len(paths))) - set(stay)
    why = (reasons or {}) | faces.skipped
    return Ranking(stay, {at: why.get(paths[at].name, "it is no face file") for at in sorted(left)})
