"""Workspaces with small facesets, and the faceset stages run on them in this process."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine import catalog
from engine.faces.face_file import encode_face_jpeg, replace_face_data
from engine.faces.faceset_pack import read_pack_list
from engine.protocol.workspace import Workspace
from tests.faces.face_files import face_data, picture
from tests.support.context import RecordingContext, context_for


def face_bytes(seed: int, source: str | None = None, size_px: int = 64, **changes: Any) -> bytes:
    """A face file; each seed another picture, of frame `seed` if no other source is given."""
    source_filename = source or f"{seed:05d}.png"
    data = face_data(source_filename=source_filename, **changes)
    return encode_face_jpeg(picture(size_px, seed), 80, data)


def workspace(root: Path, faces: dict[str, bytes], side: str = "dst") -> Path:
    """The side's `aligned` folder with these files, by names relative to it."""
    aligned = Workspace(root).side(side).aligned
    aligned.mkdir(parents=True, exist_ok=True)
    for name, data in faces.items():
        (aligned / name).parent.mkdir(exist_ok=True)
        (aligned / name).write_bytes(data)
    return aligned


def some_faces(count: int) -> dict[str, bytes]:
    return {f"{number:05d}_0.jpg": face_bytes(number) for number in range(1, count + 1)}


def run_stage(
    root: Path, stage_id: str, *, confirmed: bool = False, **options: Any
) -> RecordingContext:
    context: RecordingContext = context_for(root, stage_id, confirmed=confirmed, **options)
    start(context, stage_id)
    return context


def start(context: RecordingContext, stage_id: str) -> None:
    module, function = catalog.stage(stage_id).code.split(":")
    getattr(importlib.import_module(module), function)(context)


def loose(aligned: Path) -> dict[str, bytes]:
    """The files in and below `aligned` that are shown as pictures, by relative name."""
    return {
        str(path.relative_to(aligned)): path.read_bytes()
        for path in sorted(aligned.rglob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg") and not path.name.startswith(".")
    }


def packed(pack: Path) -> dict[str, bytes]:
    """The faces in a pack, by PERSON/NAME or NAME."""
    return {
        "/".join(filter(None, (face.person_name, face.name))): face.read_jpeg()
        for face in read_pack_list(pack)
    }


def trashed(root: Path, name: str) -> list[bytes]:
    """The contents of all files of that name in the workspace's trash."""
    found = Workspace(root).trash.rglob(name)
    return [path.read_bytes() for path in sorted(found) if path.is_file()]


def pictures(files: Iterable[bytes]) -> list[str]:
    """What tells the pictures apart, whatever their metadata; sorted."""
    return sorted(hashlib.sha256(replace_face_data(data, None)).hexdigest() for data in files)
