"""Measuring a faceset in parallel; what an earlier sort measured is taken from the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
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
_FACES_PER_WRITE = 256

Job = tuple[tuple[Path, ...], tuple[str, ...]]  # files, measures
Outcome = Measured | str  # or why the file cannot be measured


@dataclass(frozen=True)
class MeasuredSet:
    """faces: those that could be measured. unreadable: the others, with reasons. from_cache:
    how many needed no measuring."""

    faces: MeasuredFaces
    unreadable: dict[Path, str]
    from_cache: int


@dataclass(frozen=True)
class _Work:
    """Files, what their scores are kept under, the measures wanted, and what is known of them."""

    paths: Sequence[Path]
    keys: Sequence[FileKey]
    names: tuple[str, ...]
    known: dict[FileKey, Measured]


def measure_faceset(
    context: StageContext, cache_path: Path, paths: Sequence[Path], measures: Sequence[str]
) -> MeasuredSet:
    """The measures of all files, in their order. What is measured is kept also when stopped."""
    names = measures_for(measures, len(paths))
    if not names:
        return MeasuredSet(MeasuredFaces(tuple(paths), {}), {}, 0)
    keys = [file_key(path) for path in paths]
    with open_score_cache(cache_path) as cache:
        work = _Work(paths, keys, names, _known(cache, names, keys))
        outcomes = _measure(context, cache, work)
        if cache.damage:
            context.warn(f"measured values could not be kept for the next sort: {cache.damage}")
    return _collected(work, outcomes)


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
    """What is known of each file: all, some or none of the measures. Forgets files that are no
    more."""
    known: dict[FileKey, Measured] = {key: {} for key in keys}
    stale: set[FileKey] = set()
    for name in names:
        for key, values in cache.read(name).items():
            if key in known:
                known[key][name] = values
            else:
                stale.add(key)
    cache.forget(stale)
    return known


def _measure(context: StageContext, cache: ScoreCache, work: _Work) -> dict[FileKey, Outcome]:
    """All measures of all files."""
    outcomes: dict[FileKey, Outcome] = {
        key: scores for key, scores in work.known.items() if len(scores) == len(work.names)
    }
    skipped = len(outcomes)
    unsaved: list[tuple[FileKey, Measured]] = []
    jobs = list(_jobs(work))
    results = context.map_in_processes(
        measure_files, [job for _, job in jobs], processes=min(_processes(context), len(jobs) or 1)
    )
    try:
        for (keys, _), found in zip(jobs, results, strict=True):
            for key, scores in zip(keys, found, strict=True):
                if isinstance(scores, str):
                    outcomes[key] = scores
                else:
                    outcomes[key] = work.known[key] | scores
                    unsaved.append((key, scores))
            if len(unsaved) >= _FACES_PER_WRITE:
                cache.keep(unsaved)
                unsaved.clear()
            context.progress(
                len(outcomes), len(work.known), unit="faces", note="measuring", skipped=skipped
            )
    finally:
        cache.keep(unsaved)
    return outcomes


def _jobs(work: _Work) -> Iterator[tuple[list[FileKey], Job]]:
    """Files of which the same measures are missing, some at a time."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, key in enumerate(work.keys):
        missing = tuple(name for name in work.names if name not in work.known[key])
        rows.setdefault(missing, []).append(row)
    for missing, same in rows.items():
        for at in range(0, len(same) if missing else 0, _FACES_PER_JOB):
            part = same[at : at + _FACES_PER_JOB]
            yield (
                [work.keys[row] for row in part],
                (tuple(work.paths[row] for row in part), missing),
            )


def _collected(work: _Work, outcomes: Mapping[FileKey, Outcome]) -> MeasuredSet:
    unreadable: dict[Path, str] = {}
    paths: list[Path] = []
    rows: list[Measured] = []
    for path, key in zip(work.paths, work.keys, strict=True):
        outcome = outcomes[key]
        if isinstance(outcome, str):
            unreadable[path] = outcome
        else:
            paths.append(path)
            rows.append(outcome)
    columns = {name: _column(name, rows) for name in work.names}
    from_cache = sum(len(scores) == len(work.names) for scores in work.known.values())
    return MeasuredSet(MeasuredFaces(tuple(paths), columns), unreadable, from_cache)


def _column(name: str, rows: Sequence[Measured]) -> Values:
    values = np.empty((len(rows), MEASURES[name].length), MEASURES[name].dtype)
    for number, scores in enumerate(rows):
        values[number] = scores[name]
    return values


def _processes(context: StageContext) -> int:
    wanted: str = context.options["workers"]
    return int(wanted) if wanted != "auto" else len(os.sched_getaffinity(0))
