"""Shots: where the frames of a video change from one moment to the next, found on small pictures.

A frame begins a shot if it differs from the one before much more than frames around it do from
theirs, so that quick movements and pans are none, and if the difference lasts: a flash of one frame
is none either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from engine.media.bounded_pool import pool_threads
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.workspace import make_folder

VERSION = 1  # goes up when the same frames have other shots
# Of mean differences of thumbs, in levels of 255: hard cuts between the reference clips make 5 to
# 90, 9 to 190 times that of the frames around; within them it is 12 at most, 2.4 times.
LEAST_DIFFERENCE = 4.0
TIMES_THE_USUAL = 3.0
STILL_DIFFERENCE = 0.5  # frames that do not move differ by this, by noise
NEIGHBOURS = 4  # on each side, that say what is usual
THUMB_WH_PX = (32, 18)
CHUNK_FRAMES = 64

ThumbBgr = npt.NDArray[np.float32]
Told = Callable[[int], None]


def shots_of(paths: Sequence[Path], cache: Path, told: Told = lambda done: None) -> list[int]:
    """As `find_cuts`, kept in the file `cache` until one of the frames changes.

    Raises `InputError` when the disk is full or not writable.
    """
    frames = _fingerprint(paths)
    if (known := _kept(cache, frames)) is not None:
        return known
    cuts = find_cuts(paths, told)
    make_folder(cache.parent)
    content = {"version": VERSION, "frames": frames, "cuts": cuts}
    write_atomically(cache, json.dumps(content).encode(), durable=False)
    return cuts


def find_cuts(paths: Sequence[Path], told: Told = lambda done: None) -> list[int]:
    """The numbers of the frames that begin a new shot, ascending; the first frame is not named.

    paths: the frames in order. One that cannot be read counts as the one before it. told: is called
    with the number of frames looked at; what it raises ends the search.
    """
    to_last: list[float] = []  # how much frame i differs from i - 1 ...
    to_last_but_one: list[float] = []  # ... and from i - 2
    before: list[ThumbBgr] = []
    for number, thumb in enumerate(_thumbs(paths)):
        here = before[-1] if thumb is None and before else thumb
        to_last.append(_difference(here, before[-1]) if before else 0.0)
        to_last_but_one.append(_difference(here, before[-2]) if len(before) > 1 else np.inf)
        before = [*before[-1:], here] if here is not None else []
        told(number + 1)
    return [
        number for number in range(1, len(to_last)) if _is_cut(number, to_last, to_last_but_one)
    ]


def _is_cut(number: int, to_last: Sequence[float], to_last_but_one: Sequence[float]) -> bool:
    lasting = min(to_last[number], to_last_but_one[number])
    if number + 1 < len(to_last):
        lasting = min(lasting, to_last_but_one[number + 1])
    around = [
        *to_last[max(1, number - NEIGHBOURS) : number],
        *to_last[number + 1 : number + 1 + NEIGHBOURS],
    ]
    # Of two frames alone nobody knows what is usual.
    usual = max(STILL_DIFFERENCE, median(around)) if around else LEAST_DIFFERENCE
    return lasting >= LEAST_DIFFERENCE and lasting >= TIMES_THE_USUAL * usual


def _thumbs(paths: Sequence[Path]) -> Iterator[ThumbBgr | None]:
    with ThreadPoolExecutor(pool_threads()) as executor:
        for first in range(0, len(paths), CHUNK_FRAMES):
            yield from executor.map(_thumb, paths[first : first + CHUNK_FRAMES])


def _thumb(path: Path) -> ThumbBgr | None:
    try:
        image_bgr_u8 = read_image_bgr_u8(path)
    except InputError:
        return None  # whoever merges the frame tells of it
    small = cv2.resize(image_bgr_u8, THUMB_WH_PX, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _difference(one: ThumbBgr | None, other: ThumbBgr) -> float:
    return 0.0 if one is None else float(np.abs(one - other).mean())


def _fingerprint(paths: Sequence[Path]) -> str:
    """Changes when a frame is added, removed or written anew."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            state = path.stat()
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}", "start again") from error
        digest.update(f"{path.name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _kept(cache: Path, frames: str) -> list[int] | None:
    """The cuts in the cache, if it is of these frames; what cannot be read is found anew."""
    try:
        content = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return None
    match content:
        case {"version": version, "frames": str(of), "cuts": list(cuts)}:
            if version == VERSION and of == frames and all(type(cut) is int for cut in cuts):
                return cuts
    return None
