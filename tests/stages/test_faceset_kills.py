"""Killed at any line, 200 times and more: no face lost, no half file, the next run completes it.

The stages run in forked processes that kill themselves (SIGKILL) at a chosen line of our code, so
that places within a write are reached, too.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import pytest

from engine.faces.face_file import read_face_data
from engine.faces.faceset_pack import read_pack_list
from engine.protocol.workspace import Workspace
from tests.faces.face_files import plain_jpeg
from tests.stages.packing import (
    face_bytes,
    loose,
    packed,
    pictures,
    run_stage,
    some_faces,
    start,
    workspace,
)
from tests.support.context import context_for

# What only computes is left out, or nearly all kills would fall there.
_WATCHED = (
    "/engine/stages/",
    "/engine/protocol/",
    "/engine/faces/pack_writer.py",
    "/engine/faces/metadata_file.py",
    "/engine/faces/face_file.py",
    "/pathlib.py",
    "/shutil.py",
)
_FACES = {**some_faces(4), "ann/a.jpg": face_bytes(8)}

Prepare = Callable[[Path], None]


def faces_to_pack(root: Path) -> None:
    workspace(root, _FACES)


def faces_beside_another_pack(root: Path) -> None:
    workspace(root, {"old.jpg": face_bytes(9)})
    run_stage(root, "faceset-pack", delete_originals=True)
    workspace(root, _FACES)


def a_pack(root: Path) -> None:
    faces_to_pack(root)
    run_stage(root, "faceset-pack", delete_originals=True)
    workspace(root, {"00002_0.jpg": face_bytes(7)})


def edited_faces(root: Path) -> None:
    workspace(root, some_faces(5))
    run_stage(root, "faceset-metadata-save")
    edited = {f"0000{n}_0.jpg": plain_jpeg(seed=n) for n in (1, 2)}
    larger = plain_jpeg(size_px=96, seed=3)
    changed = face_bytes(4, "changed.png")
    workspace(root, {**edited, "00003_0.jpg": larger, "00004_0.jpg": changed})


def sorted_faces(root: Path) -> None:
    sources = {f"{n:05d}.jpg": face_bytes(n, f"{n % 3:05d}.png") for n in range(6)}
    workspace(root, {**sources, "00001_0.jpg": face_bytes(9, "00002.png")})


CASES: list[tuple[str, Prepare, dict[str, Any]]] = [
    ("faceset-pack", faces_to_pack, {"delete_originals": True}),
    ("faceset-pack", faces_beside_another_pack, {"delete_originals": True}),
    ("faceset-unpack", a_pack, {}),
    ("faceset-metadata-save", sorted_faces, {}),
    ("faceset-metadata-restore", edited_faces, {}),
    ("faceset-recover-names", sorted_faces, {}),
]


def lines_run(root: Path, stage: str, options: dict[str, Any], fatal: int | None) -> int:
    """Run the stage in a process that kills itself at its `fatal`-th line, if it comes to it; how
    many lines it ran."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(root, stage, options, fatal, writing)
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert status == 0 or (fatal is not None and was_killed)
    return int(text or 0)


def _child(
    root: Path, stage: str, options: dict[str, Any], fatal: int | None, writing: int
) -> None:
    lines = 0

    def on_line(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if event == "line":
            lines += 1
            if lines == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
        return on_line if any(part in frame.f_code.co_filename for part in _WATCHED) else None

    status = 1
    try:
        context = context_for(root, stage, confirmed=True, **options)
        sys.settrace(on_line)
        start(context, stage)
        sys.settrace(None)
        os.write(writing, str(lines).encode())
        status = 0
    finally:
        os._exit(status)


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "prepare", "options"), CASES, ids=[f"{c[0]}-{c[1].__name__}" for c in CASES]
)
def test_killed_at_any_line_no_face_is_lost_and_the_next_run_completes_it(
    stage: str, prepare: Prepare, options: dict[str, Any], tmp_path: Path
) -> None:
    assert threading.active_count() == 1, "forking needs a process without threads"
    cv2.setNumThreads(1)
    prepared, untouched = tmp_path / "prepared", tmp_path / "untouched"
    prepare(prepared)
    shutil.copytree(prepared, untouched)
    lines = lines_run(untouched, stage, options, None)
    faces = set(everything(prepared))
    whole = shown(untouched)
    chosen = random.Random(f"{stage} {prepare.__name__}").sample(range(1, lines), 40)
    for fatal in [*chosen, lines]:
        root = tmp_path / f"killed-{fatal}"
        shutil.copytree(prepared, root)
        lines_run(root, stage, options, fatal)
        assert set(everything(root)) >= faces, fatal
        check_whole(root)
        if stage == "faceset-metadata-save" or not is_finished(root, stage):
            lines_run(root, stage, options, None)
        assert shown(root) == whole, fatal
        assert set(everything(root)) >= faces, fatal
        assert not list(Workspace(root).dst.aligned.rglob(".*")), fatal
        shutil.rmtree(root)


def is_finished(root: Path, stage: str) -> bool:
    """Whether the killed run had done all and only not yet said so."""
    aligned = Workspace(root).dst.aligned
    needed = {"faceset-unpack": "faceset.pak", "faceset-metadata-restore": "meta.dat"}
    return stage in needed and not (aligned / needed[stage]).exists()
