"""What a session keeps beside the face files: `.facewright/labels/SIDE.desk.json` has the face that
was shown last and the polygons that are begun and not closed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.label_commands import LabelPolygon
from engine.protocol.workspace import Workspace, make_folder

VERSION = 1
LARGEST_BYTES = 1 << 26  # a begun polygon of a thousand points on a thousand faces


class _Kept(msgspec.Struct):
    version: int = VERSION
    face: str = ""
    open: dict[str, LabelPolygon] = msgspec.field(default_factory=dict)


def labels_folder(workspace: Workspace) -> Path:
    """Where label sessions and the order of labelling keep what is not in the face files."""
    return workspace.state / "labels"


class DeskFile:
    """Read when made; written by every change. Raises `InputError` for a file that is not one: it
    may hold work, so nothing takes its place."""

    def __init__(self, workspace: Workspace, side_name: str) -> None:
        self.path = labels_folder(workspace) / f"{side_name}.desk.json"
        self._kept = _read(self.path)
        self._is_safe = True

    @property
    def face(self) -> str:
        """The name of the face that was shown last, "" at first."""
        return self._kept.face

    def open_polygon(self, name: str) -> LabelPolygon | None:
        """What was begun on that face."""
        return self._kept.open.get(name)

    def keep_face(self, name: str) -> None:
        """Remember the shown face."""
        if name != self._kept.face:
            self._kept.face = name
            self._write()

    def keep_open(self, name: str, polygon: LabelPolygon | None) -> None:
        """Remember what is begun on the face; None: nothing."""
        if polygon == self.open_polygon(name):
            return
        if polygon is None:
            del self._kept.open[name]
        else:
            self._kept.open[name] = polygon
        self._write()

    def make_safe(self) -> None:
        """From a power cut, too; kills it survives anyway. Raises `InputError`."""
        if not self._is_safe:
            write_atomically(self.path, msgspec.json.encode(self._kept))
            self._is_safe = True

    def _write(self) -> None:
        make_folder(self.path.parent)
        write_atomically(self.path, msgspec.json.encode(self._kept), durable=False)
        self._is_safe = False


def _read(path: Path) -> _Kept:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return _Kept()
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if len(data) > LARGEST_BYTES:
        raise _unusable(path, "it is far too large")
    try:
        kept = msgspec.json.decode(data, type=_Kept)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(path, str(error)) from error
    if kept.version != VERSION:
        raise _unusable(path, f"it is of version {kept.version}, this program knows {VERSION}")
    return kept


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        f"cannot read {path}: {why}",
        "it holds polygons that are begun and not closed; move it away to go on without them",
        code="desk-file",
    )
