"""Killed 200 times a stage, at any moment: no face lost, no half file, the next run completes it.

A process dies before each change of a file once, at lines of our code, so that places within a
write are reached, too, and at times chosen by chance. Sorting has its own 200 in
`test_faceset_sort.py`.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from engine.faces.face_file import read_face_data
from engine.faces.faceset_pack import read_pack_list
from engine.protocol.workspace import Workspace
from tests.faces.face_files import plain_jpeg
from tests.stages.facesets import stage_function
from tests.stages.killing import Death, Life, folder_in_memory, live
from tests.stages.packing import (
    face_bytes,
    loose,
    packed,
    pictures,
    run_stage,
    some_faces,
    workspace,
)

_TIMED_DEATHS = 20  # of all kills
_SPARE_DEATHS = 5  # a run is not always as long as the one that was measured
_FACES = {**some_faces(3), "ann/a.jpg": face_bytes(8)}

Prepare = Callable[[Path], None]


def faces_to_pack(root: Path) -> None:
    workspace(root, _FACES)


def faces_beside_another_pack(root: Path) -> None:
    workspace(root, {"old.jpg": face_bytes(9)})
    run_stage(root, "faceset-pack", delete_originals=True, confirmed=True)
    workspace(root, _FACES)


def a_pack(root: Path) -> None:
    faces_to_pack(root)
    run_stage(root, "faceset-pack", delete_originals=True, confirmed=True)
    workspace(root, {"00002_0.jpg": face_bytes(7)})


def edited_faces(root: Path) -> None:
    workspace(root, some_faces(4))
    run_stage(root, "faceset-metadata-save")
    larger, changed = plain_jpeg(size_px=96, seed=2), face_bytes(3, "changed.png")
    edited = {"00001_0.jpg": plain_jpeg(seed=1), "00002_0.jpg": larger, "00003_0.jpg": changed}
    workspace(root, edited)


def sorted_faces(root: Path) -> None:
    sources = {f"{n:05d}.jpg": face_bytes(n, f"{n % 3:05d}.png") for n in range(6)}
    workspace(root, {**sources, "00001_0.jpg": face_bytes(9, "00002.png")})


def faces_to_resize(root: Path) -> None:
    workspace(root, {**some_faces(3), "00004_0.jpg": face_bytes(4, size_px=128)})


CASES: list[tuple[str, Prepare, dict[str, Any], int]] = [
    ("faceset-pack", faces_to_pack, {"delete_originals": True}, 200),
    ("faceset-pack", faces_beside_another_pack, {"delete_originals": True}, 60),
    ("faceset-unpack", a_pack, {}, 200),
    ("faceset-resize", faces_to_resize, {"size": 128, "in_place": True, "workers": "1"}, 200),
    ("faceset-metadata-restore", edited_faces, {}, 200),
    ("faceset-metadata-save", sorted_faces, {}, 40),
    ("faceset-recover-names", sorted_faces, {}, 40),
]


def everything(root: Path) -> list[str]:
    """All pictures, wherever they are: as files, in packs, in the trash."""
    files = list(loose(root).values())
    for pack in root.rglob("faceset.pak"):
        if not pack.name.startswith("."):
            files += packed(pack).values()
    return pictures(files)


def shown(root: Path) -> dict[str, bytes]:
    """The faces that are files or in the pack, by name, without the trash."""
    aligned = Workspace(root).dst.aligned
    faces = loose(aligned)
    if (aligned / "faceset.pak").is_file():
        faces |= packed(aligned / "faceset.pak")
    return faces


def check_whole(root: Path) -> None:
    """No file shown is cut short, and a pack can be read."""
    aligned = Workspace(root).dst.aligned
    for data in loose(aligned).values():
        read_face_data(data)
    if (aligned / "faceset.pak").is_file():
        read_pack_list(aligned / "faceset.pak")


def deaths(life: Life, kills: int, timed: int, seed: str) -> Iterator[Death]:
    """Before every change; at lines by chance, as many as are left of `kills`, every place in the
    source once before any twice; at the last line; and `timed` at any time besides.

    life: of a run that was not killed.
    """
    chance = random.Random(seed)
    yield from (Death(change=number) for number in range(1, life.changes + 1))
    yield from (
        Death(line=number)
        for number in lines_by_chance(life, chance)[: max(0, kills - life.changes) + _SPARE_DEATHS]
    )
    yield Death(line=len(life.places))
    for _ in range(timed):
        yield Death(after_s=chance.uniform(0, life.seconds))


def lines_by_chance(life: Life, chance: random.Random) -> list[int]:
    """Numbers of lines of that run: one of each place in the source, then the others."""
    order = chance.sample(range(1, len(life.places) + 1), len(life.places))
    first = list({life.places[number - 1]: number for number in order}.values())
    chosen = set(first)
    return [*first, *(number for number in order if number not in chosen)]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("stage", "prepare", "options", "kills"), CASES, ids=[f"{c[0]}-{c[1].__name__}" for c in CASES]
)
def test_killed_at_any_moment_no_face_is_lost_and_the_next_run_completes_it(
    stage: str,
    prepare: Prepare,
    options: dict[str, Any],
    kills: int,
    share_of_kills: float,
    tmp_path: Path,
) -> None:
    assert threading.active_count() == 1, "forking needs a process without threads"
    cv2.setNumThreads(1)
    stage_function(stage)  # imported here once, not in every process
    with folder_in_memory(tmp_path) as folder:
        prepare(folder / "prepared")
        wanted, timed = (round(n * share_of_kills) for n in (kills, _TIMED_DEATHS))
        assert survived_kills(folder, stage, options, wanted, timed) >= wanted


def survived_kills(
    folder: Path, stage: str, options: dict[str, Any], kills: int, timed: int
) -> int:
    """Kill the stage in copies of what is in `prepared`, check what is left, complete it. Returns
    how often it was really killed."""
    prepared, untouched, root = (folder / name for name in ("prepared", "untouched", "killed"))
    shutil.copytree(prepared, untouched)
    life = live(untouched, stage, options)
    faces, whole = set(everything(prepared)), shown(untouched)
    killed = 0
    for death in deaths(life, kills, timed, stage):
        shutil.copytree(prepared, root)
        killed += live(root, stage, options, death).was_killed
        assert set(everything(root)) >= faces, death
        check_whole(root)
        if not is_finished(root, stage):
            live(root, stage, options, Death())
        assert shown(root) == whole, death
        assert set(everything(root)) >= faces, death
        assert not list(Workspace(root).dst.aligned.rglob(".*")), death
        shutil.rmtree(root)
    return killed


def is_finished(root: Path, stage: str) -> bool:
    """Whether the killed run had done all and only not yet said so."""
    aligned = Workspace(root).dst.aligned
    needed = {"faceset-unpack": "faceset.pak", "faceset-metadata-restore": "meta.dat"}
    return stage in needed and not (aligned / needed[stage]).exists()
