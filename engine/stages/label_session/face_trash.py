"""The trash of a session: a folder for each face in the side's `aligned_trash`; the newest comes
back first."""

from __future__ import annotations

import time
from pathlib import Path

from engine.protocol.errors import UsageError
from engine.protocol.files import disk_error, move
from engine.protocol.workspace import Side, make_folder

PREFIX = "labels-"


class FaceTrash:
    """Moves files; nothing is ever deleted or replaced."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._folder = side.frames / "aligned_trash"

    def put(self, name: str) -> None:
        """Move the face to the trash. Raises `InputError` if it is gone or cannot be moved."""
        target = make_folder(self._new_folder()) / name
        try:
            move(self._side.aligned / name, target)
        except OSError as error:
            target.parent.rmdir()
            raise disk_error(error, target) from error

    def count(self) -> int:
        """How many faces can be brought back."""
        return len(self._folders())

    def bring_back(self) -> str:
        """Move the face back that went last; its name. Raises `UsageError` if there is none or a
        face of that name is there, `InputError` if it cannot be moved."""
        folders = self._folders()
        if not folders:
            raise UsageError("no face went to the trash here", f"look into {self._folder}")
        path = next(folders[-1].iterdir())
        target = self._side.aligned / path.name
        if target.exists():
            raise UsageError(
                f"there is another {path.name} now", f"move one of them away; it is in {path}"
            )
        try:
            move(path, target)
            path.parent.rmdir()
        except OSError as error:
            raise disk_error(error, target) from error
        return path.name

    def _folders(self) -> list[Path]:
        """Those that hold a face, oldest first."""
        try:
            return sorted(
                path
                for path in self._folder.glob(f"{PREFIX}*")
                if path.is_dir() and any(path.iterdir())
            )
        except OSError:
            return []

    def _new_folder(self) -> Path:
        """Names sort by age, also of those made within one second."""
        stamp = time.strftime(f"{PREFIX}%Y%m%d-%H%M%S")
        number = 1
        while (folder := self._folder / f"{stamp}-{number:03d}").exists():
            number += 1
        return folder
