"""What faces knew, kept in the workspace's trash before a stage takes some of it away.

Only the metadata: a few kilobytes a face, where a copy of the faces may take gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.faces.metadata_file import META_NAME, SavedFace, saved_face, write_metadata
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import Side


def keep_metadata(context: StageContext, side: Side, label: str, faces: Sequence[Path]) -> Path:
    """Write the metadata of these face files to a `meta.dat` in a new folder of the trash, and tell
    where it is. Returns that folder. Raises `InputError` when the disk is full or a file is no face
    any more."""
    copies = TrashCopies(context.workspace, f"{label}-{side.name}")
    meta = copies.place(side.aligned / META_NAME)
    write_metadata(meta.parent, _entries(context, faces))
    context.note(
        f"what the faces had is kept in {meta}: to have it back, move that file to"
        f" {side.aligned} and run faceset-metadata-restore --side {side.name}"
    )
    return meta.parent


def _entries(context: StageContext, faces: Sequence[Path]) -> Iterator[tuple[str, SavedFace]]:
    for path in faces:
        context.check_stop()
        try:
            yield path.name, saved_face(path)
        except InputError as error:
            raise InputError(f"{path}: {error.message}", error.remedy) from error
