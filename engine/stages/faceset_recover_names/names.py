"""Which name each face gets back, decided from nothing but what lies in the folder.

Renaming takes two steps, since faces may have each other's names: to `FRAME_N.recovering.jpg`, then
to `FRAME_N.jpg`. The first already tells which N the face has, and all faces are listed at any
moment; so after a kill the same plan comes out again, without a record of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

_RECOVERING = ".recovering"
_CLAIM = re.compile(r"(.+)_(\d{1,9})\.recovering\.jpg", re.DOTALL)
_LONGEST_STEM_BYTES = 200  # a name takes 255 at most, and some are added
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Renaming:
    """One face's way from `old` over `between` to `new`; names in the faceset's folder."""

    old: str
    between: str
    new: str


def plan_renaming(sources: Mapping[str, str], others: Iterable[str]) -> list[Renaming]:
    """The faces that need another name, in the order of the first step.

    sources: file name of each face -> stem of its frame. others: names that are taken by what is
    not renamed. Faces of frames with equal stems (`a.jpg`, `a.png`) count on; numbers whose names
    are taken are left out.
    """
    taken = set(others)
    claims = {
        name: number
        for name, stem in sources.items()
        if (number := _claim(name, stem)) >= 0 and _new(stem, number) not in taken
    }
    given = {(sources[name], number) for name, number in claims.items()}
    next_number: dict[str, int] = {}
    renamings = [_renaming(name, sources[name], number) for name, number in claims.items()]
    for name in sorted(sources.keys() - claims.keys(), key=_by_name):
        stem = sources[name]
        number = next_number.get(stem, 0)
        while (stem, number) in given or _is_blocked(stem, number, taken, sources):
            number += 1
        next_number[stem] = number + 1
        renamings.append(_renaming(name, stem, number))
    return [renaming for renaming in renamings if renaming.old != renaming.new]


def stem_of_source(source_filename: str | None) -> str | None:
    """The frame's name without its ending; None where no file name can be made of it."""
    if not source_filename or any(sign in source_filename for sign in "/\\\0"):
        return None
    stem = PurePath(source_filename).stem
    try:
        fits = 0 < len(stem.encode()) <= _LONGEST_STEM_BYTES
    except UnicodeEncodeError:
        return None
    return stem if fits and not stem.startswith(".") else None


def _claim(name: str, stem: str) -> int:
    """The number in the name of a face that was being renamed; -1 for other names."""
    match = _CLAIM.fullmatch(name)
    if match is None or match[1] != stem or name != _between(stem, int(match[2])):
        return -1
    return int(match[2])


def _is_blocked(stem: str, number: int, taken: set[str], sources: Mapping[str, str]) -> bool:
    between = _between(stem, number)
    return _new(stem, number) in taken or between in taken or between in sources


def _renaming(old: str, stem: str, number: int) -> Renaming:
    return Renaming(old, _between(stem, number), _new(stem, number))


def _new(stem: str, number: int) -> str:
    return f"{stem}_{number}.jpg"


def _between(stem: str, number: int) -> str:
    return f"{stem}_{number}{_RECOVERING}.jpg"


def _by_name(name: str) -> tuple[list[tuple[int, str]], str]:
    """Text order with numbers as numbers, so that the tenth face of a frame stays the tenth."""
    parts = _DIGITS.split(name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts], name
