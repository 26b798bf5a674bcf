"""Measuring a faceset in parallel; what an earlier sort measured is taken from the cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.faces.sorting.score_cache import FileKey, ScoreCache, file_key, open_score_cache
from engine.faces.sorting.scores import (
    MEASURES,
    Measured,
    MeasuredFaces,
    Values,
    measure_face,
    measures_for,
)
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext

_FACES_PER_JOB = 16  # handing over one by one would cost more than measuring
_JOBS_PER_WRITE = 16

Job = tuple[tuple[Path, ...], tuple[str, ...]]  # files, measures
Outcome = Measured | str  # or why the file cannot be measured


@dataclass(frozen=True)
class MeasuredSet:
    """faces: those that could be measured. unreadable: the others, with reasons. from_cache:
    how many needed no measuring."""

    faces: MeasuredFaces
    unreadable: dict[Path, str]
    from_cache: int


def measure_faceset(
    context: StageContext, cache_path: Path, paths: Sequence[Path], measures: Sequence[str]
) -> MeasuredSet:
    """The measures of all files, in their order. What is measured is kept also when stopped."""
    names = measures_for(measures, len(paths))
    if not names:
        return MeasuredSet(MeasuredFaces(tuple(paths), {}), {}, 0)
    keys = [file_key(path) for path in paths]
    with open_score_cache(cache_path) as cache:
        known = _known(cache, names, keys)
        missing = [row for row, key in enumerate(keys) if key not in known]
        measured = _measure(context, cache, paths, keys, missing, names)
        if cache.damage:
            context.warn(f"measured values could not be kept for the next sort: {cache.damage}")
    outcomes = [known[key] if key in known else measured[row] for row, key in enumerate(keys)]
    return _collected(paths, outcomes, names, from_cache=len(paths) - len(missing))


def measure_files(job: Job) -> list[Outcome]:
    """The scores of some files, in their order; for worker processes."""
    paths, names = job
    return [_measured_or_why_not(path, names) for path in paths]


def _measured_or_why_not(path: Path, names: tuple[str, ...]) -> Outcome:
    try:
        return measure_face(path, names)
    except InputError as error:
        return error.message


def _known(
    cache: ScoreCache, names: Sequence[str], keys: Sequence[FileKey]
) -> dict[FileKey, Measured]:
    """The files of which all is known. Forgets files that are no more."""
    columns = {name: cache.read(name) for name in names}
    present = set(keys)
    cache.forget({key for column in columns.values() for key in column} - present)
    complete = present.intersection(*columns.values())
    return {key: {name: column[key] for name, column in columns.items()} for key in complete}


def _measure(
    context: StageContext,
    cache: ScoreCache,
    paths: Sequence[Path],
    keys: Sequence[FileKey],
    rows: Sequence[int],
    names: tuple[str, ...],
) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    parts = [rows[at : at + _FACES_PER_JOB] for at in range(0, len(rows), _FACES_PER_JOB)]
    jobs = [(tuple(paths[row] for row in part), names) for part in parts]
    known = len(paths) - len(rows)
    results = context.map_in_processes(
        measure_files, jobs, processes=min(_processes(context), len(jobs) or 1)
    )
    unsaved: list[tuple[FileKey, Measured]] = []
    try:
        for part, found in zip(parts, results, strict=True):
            outcomes.update(zip(part, found, strict=True))
            unsaved += [
                (keys[row], scores)
                for row, scores in zip(part, found, strict=True)
                if not isinstance(scores, str)
            ]
            if len(unsaved) >= _FACES_PER_JOB * _JOBS_PER_WRITE:
                cache.keep(unsaved)
                unsaved.clear()
            done = known + len(outcomes)
            context.progress(done, len(paths), unit="faces", note="measuring", skipped=known)
    finally:
        cache.keep(unsaved)
    return outcomes


def _collected(
    paths: Sequence[Path], outcomes: Sequence[Outcome], names: Sequence[str], from_cache: int
) -> MeasuredSet:
    good = [row for row, outcome in enumerate(outcomes) if not isinstance(outcome, str)]
    columns = {name: _column(name, [outcomes[row] for row in good]) for name in names}
    unreadable = {
        path: outcome
        for path, outcome in zip(paths, outcomes, strict=True)
        if isinstance(outcome, str)
    }
    return MeasuredSet(
        MeasuredFaces(tuple(paths[row] for row in good), columns), unreadable, from_cache
    )


def _column(name: str, rows: Sequence[Outcome]) -> Values:
    values = np.empty((len(rows), MEASURES[name].length), MEASURES[name].dtype)
    for number, row in enumerate(rows):
        if not isinstance(row, str):
            values[number] = row[name]
    return values


def _processes(context: StageContext) -> int:
    wanted: str = context.options["workers"]
    return int(wanted) if wanted != "auto" else len(os.sched_getaffinity(0))
