"""The faces of a session in the order of their names, and which of them have labels."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from engine.faces.face_file import read_face_data
from engine.protocol.errors import InputError
from engine.protocol.face_index import FileState, face_files, index_path, opened_index
from engine.protocol.workspace import Side, Workspace

_READERS = 8  # they wait for the disk; decoding itself runs one at a time
_READ_AHEAD = 128  # files; a stop is heard between so many


class FaceList:
    """names: of all faces, sorted. Faces come and go; their labels are what was told last."""

    def __init__(self, labelled: Mapping[str, bool]) -> None:
        self.names = sorted(labelled)
        self._labelled = dict(labelled)

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: str) -> int:
        """Where the face of that name is, or would be."""
        return bisect_left(self.names, name)

    def __contains__(self, name: str) -> bool:
        return name in self._labelled

    def is_labelled(self, name: str) -> bool:
        return self._labelled[name]

    def set_labelled(self, name: str, labelled: bool) -> None:
        """The face (new, or known) has labels or not."""
        if name not in self._labelled:
            insort(self.names, name)
        self._labelled[name] = labelled

    def remove(self, name: str) -> None:
        """The face is gone."""
        if self._labelled.pop(name, None) is not None:
            del self.names[self.number(name)]

    @property
    def labelled_count(self) -> int:
        return sum(self._labelled.values())

    def labelled_runs(self) -> tuple[int, ...]:
        """See `LabelsState.labelled`."""
        runs = [
            (is_labelled, sum(1 for _ in group))
            for is_labelled, group in groupby(self._labelled[name] for name in self.names)
        ]
        lengths = tuple(length for _, length in runs)
        return (0, *lengths) if runs and runs[0][0] else lengths

    def numbers_of(self, names: Iterable[str]) -> tuple[int, ...]:
        """Where those of them are that are there, in the order given."""
        return tuple(self.number(name) for name in names if name in self._labelled)


def list_faces(
    workspace: Workspace,
    side: Side,
    progress: Callable[[int, int], None],
    known: FaceList | None = None,
) -> FaceList:
    """The side's face files; what the faceset's index or `known` has of them is not read again.
    Other pictures are left out. progress: called with how many are done, of all; may raise to stop.

    Raises `InputError` if the folder cannot be read.
    """
    try:
        present = face_files(side.aligned)
    except OSError as error:
        raise InputError(
            f"cannot list {side.aligned}: {error.strerror}", "check the folder and its rights"
        ) from error
    labelled = {
        name: known.is_labelled(name) for name in present if known is not None and name in known
    }
    new = {name: state for name, state in present.items() if name not in labelled}
    indexed = _indexed(workspace, side) if new else {}
    labelled |= {file[0]: indexed[file] for file in new.items() if file in indexed}
    unknown = [side.aligned / name for name in new if name not in labelled]
    for path, has_labels in _looked_into(unknown, len(present), progress):
        if has_labels is not None:
            labelled[path.name] = has_labels
    return FaceList(labelled)


def _indexed(workspace: Workspace, side: Side) -> dict[tuple[str, FileState], bool]:
    """Which faces have labels, by the index; files that changed since are not found in it."""
    with opened_index(index_path(workspace, side.name)) as index:
        if index is None or index.pack_state() is not None:
            return {}
        return {
            (row.name, FileState(row.mtime_ns, row.size_bytes)): bool(row.has_labels)
            for row in index.rows()
        }


def _looked_into(
    paths: list[Path], total: int, progress: Callable[[int, int], None]
) -> Iterable[tuple[Path, bool | None]]:
    done = total - len(paths)
    with ThreadPoolExecutor(_READERS) as readers:
        for start in range(0, len(paths), _READ_AHEAD):
            progress(done + start, total)
            some = paths[start : start + _READ_AHEAD]
            yield from zip(some, readers.map(_has_labels, some), strict=True)
    progress(total, total)


def _has_labels(path: Path) -> bool | None:
    """None for a picture that is no face."""
    try:
        data = read_face_data(path)
    except InputError:
        return None
    return None if data is None else bool(data.seg_ie_polys)
