"""A side's face files on disk: listed, moved to the trash and back. Runs in threads."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, move
from engine.protocol.workspace import FACE_SUFFIXES, Side, make_folder
from tuiapp.bridge.face_fields import Face, FaceKey

TRASH_PREFIX = "browser-"
MAX_FACE_BYTES = 64 << 20


def list_faces(side: Side) -> list[Face]:
    """The side's face files by name; [] without such a folder. Raises InputError."""
    try:
        with os.scandir(side.aligned) as entries:
            faces = [_face(entry) for entry in entries if _is_face(entry)]
    except FileNotFoundError:
        return []
    except OSError as error:
        what = f"cannot list {side.aligned}: {error.strerror}"
        raise InputError(what, "check the folder and its rights") from error
    return sorted((face for face in faces if face is not None), key=lambda face: face.name)


def changed_since(side: Side, made_at: int) -> bool:
    """Whether faces came, went or were renamed or replaced after that second since 1970."""
    try:
        return side.aligned.stat().st_mtime >= made_at + 1
    except OSError:
        return False


def _is_face(entry: os.DirEntry[str]) -> bool:
    suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - 100 000 names
    return suffix in FACE_SUFFIXES and not entry.name.startswith(".") and entry.is_file()


def _face(entry: os.DirEntry[str]) -> Face | None:
    try:
        stat = entry.stat()
    except FileNotFoundError:  # moved while listing, by a sort for example
        return None
    return Face(entry.name, _key(stat))


def read_face_file(side: Side, face: Face) -> bytes:
    """The bytes of a face's file, out of the pack where it lies in one. Raises InputError."""
    if face.size_bytes > MAX_FACE_BYTES:
        raise InputError(f"{face.name} is larger than {MAX_FACE_BYTES >> 20} MB", "is it a face?")
    path = side.aligned / face.name if face.pack_offset is None else side.pack
    try:
        with path.open("rb") as file:
            file.seek(face.pack_offset or 0)
            return file.read(face.size_bytes)
    except OSError as error:
        raise InputError(f"{face.name}: {error.strerror}", "look again (key r)") from error


@dataclass(frozen=True)
class Moved:
    """How many files went, where to, and which stayed because a file of that name is there."""

    count: int
    folder: Path
    in_the_way: tuple[str, ...] = ()


def trash_folder(side: Side) -> Path:
    return side.frames / "aligned_trash"


def move_to_trash(side: Side, faces: Iterable[Face]) -> Moved:
    """Move face files to a new folder of the side's trash. Files that are gone or were replaced
    since they were listed are left out. Raises InputError; what was moved till then is moved."""
    target = make_folder(_new_trash_folder(side))
    count = 0
    for face in faces:
        path = side.aligned / face.name
        if not _is_unchanged(path, face):
            continue
        try:
            move(path, target / face.name)
        except OSError as error:
            raise disk_error(error, target) from error
        count += 1
    if not count:
        target.rmdir()
    return Moved(count, target)


def _is_unchanged(path: Path, face: Face) -> bool:
    try:
        stat = path.stat()
    except OSError:
        return False
    return _key(stat) == face.key


def _key(stat: os.stat_result) -> FaceKey:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _new_trash_folder(side: Side) -> Path:
    """Names sort by age, also of those made within one second."""
    stamp = time.strftime(f"{TRASH_PREFIX}%Y%m%d-%H%M%S")
    number = 1
    while (folder := trash_folder(side) / f"{stamp}-{number:02d}").exists():
        number += 1
    return folder


def newest_trash(side: Side) -> Path | None:
    """The folder that `restore` would restore: the newest, whichever opened app made it; those of
    which no face can come back, for all their names are taken, after all others."""
    try:
        folders = [path for path in trash_folder(side).glob(f"{TRASH_PREFIX}*") if path.is_dir()]
        return max(folders, key=lambda path: (_has_free_names(side, path), path), default=None)
    except OSError:
        return None


def _has_free_names(side: Side, folder: Path) -> bool:
    return any(not (side.aligned / path.name).exists() for path in folder.iterdir())


def restore(side: Side, folder: Path) -> Moved:
    """Move a trash folder's files back; none takes the place of a face that is there now. The
    folder is removed once it is empty. Raises InputError."""
    make_folder(side.aligned)
    count, in_the_way = 0, []
    try:
        for path in sorted(folder.iterdir()):
            target = side.aligned / path.name
            if target.exists():
                in_the_way.append(path.name)
                continue
            move(path, target)
            count += 1
        if not in_the_way:
            folder.rmdir()
    except OSError as error:
        raise disk_error(error, side.aligned) from error
    return Moved(count, folder, tuple(in_the_way))
