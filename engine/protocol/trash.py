"""Keeping in the trash what is about to be replaced, without taking it away first."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.files import disk_error, link_or_copy, move
from engine.protocol.workspace import Workspace, make_folder


class TrashCopies:
    """A folder of the trash that files are also put into, or moved to; made when the first one
    comes."""

    def __init__(self, workspace: Workspace, label: str) -> None:
        self._workspace = workspace
        self._label = label
        self.folder: Path | None = None

    def keep(self, path: Path) -> None:
        """Keep the file, in its place relative to the workspace: `path` stays as it is, and may be
        replaced by a rename afterwards. A second name for the same file costs no room; where the
        disk has no such names, it is copied. Raises `InputError` when the disk is full."""
        keep_as(path, self.place(path))

    def take(self, path: Path) -> None:
        """Move the file or folder there. Raises `InputError` when the disk is full."""
        target = self.place(path)
        try:
            move(path, target)
        except OSError as error:
            raise disk_error(error, target) from error

    def place(self, path: Path) -> Path:
        """Where what is to be kept of `path` belongs, in a folder that is there. Raises
        `InputError` when the disk is full."""
        target = self._folder() / path.relative_to(self._workspace.root)
        make_folder(target.parent)
        return target

    def _folder(self) -> Path:
        if self.folder is None:
            self.folder = self._workspace.new_trash_folder(self._label)
        return self.folder


def keep_as(path: Path, target: Path) -> None:
    """As `TrashCopies.keep`, where the place in the trash is known: for worker processes."""
    try:
        link_or_copy(path, target)
    except OSError as error:
        raise disk_error(error, target) from error
