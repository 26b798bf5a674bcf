"""The stage `consent-erase`: one person's record, and what runs said of it, leave the workspace."""

from __future__ import annotations

import mmap
from collections.abc import Collection
from pathlib import Path

import msgspec

from engine.protocol.consent import (
    Entry,
    consent_path,
    read_entries,
    records_of,
    write_entries,
)
from engine.protocol.errors import ConfirmationNeeded
from engine.protocol.stage import StageContext
from engine.protocol.trash import TrashCopies
from engine.stages.consent_choice import wanted_record

_LABEL = "consent-erase"
_RECORDING = "consent-record"


class _Job(msgspec.Struct):
    """What a run's `job.json` says of whom it was about."""

    stage: str
    options: dict[str, object]


def erase_consent(context: StageContext) -> None:
    """Move the record's entries, and the folders of runs that speak of it, to the trash.

    Raises `UsageError` if there is no such record, `ConfirmationNeeded` without the user's yes,
    `InputError` for records that cannot be read and when the disk is full. The record goes last:
    after a kill the same can be asked for again."""
    entries = read_entries(context.workspace)
    id = wanted_record(context.options, records_of(entries)).consent.id
    erased = [entry for entry in entries if entry.consent.id == id]
    runs = _runs_speaking_of(context, id, {entry.consent.name for entry in erased})
    if not context.confirmed:
        raise ConfirmationNeeded(
            f"the record {id} ({len(erased)} entries) and {len(runs)} runs that speak of it would"
            " go to the trash",
            "confirm (--yes) to move them to the workspace's trash",
        )
    copies = TrashCopies(context.workspace, _LABEL)
    for run in runs:
        copies.take(run)
    path = consent_path(context.workspace)
    write_entries(copies.place(path), erased)
    write_entries(path, [entry for entry in entries if entry.consent.id != id])
    _report(context, id, erased, runs, copies.folder)


def _runs_speaking_of(context: StageContext, id: str, names: Collection[str]) -> list[Path]:
    """Folders of runs, but for this one's own, whose journal has the record's id, or that were to
    record somebody of one of these names, though nothing came of it."""
    runs = context.workspace.runs
    folders = sorted(runs.iterdir()) if runs.is_dir() else []
    return [
        folder
        for folder in folders
        if folder != context.run_dir
        and (_holds(folder / "events.jsonl", id.encode()) or _was_to_record(folder, names))
    ]


def _holds(path: Path, text: bytes) -> bool:
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(text) >= 0


def _was_to_record(folder: Path, names: Collection[str]) -> bool:
    try:
        job = msgspec.json.decode((folder / "job.json").read_bytes(), type=_Job)
    except (OSError, msgspec.DecodeError):
        return False
    return job.stage == _RECORDING and job.options.get("name") in names


def _report(
    context: StageContext, id: str, erased: list[Entry], runs: list[Path], trash: Path | None
) -> None:
    earlier = [path for path in context.workspace.trash.glob(f"*-{_LABEL}*") if path != trash]
    also = f"; so may the {len(earlier)} folders of earlier erasures beside it" if earlier else ""
    context.note(f"{trash} still holds what was erased: delete it to erase it for good{also}")
    context.result(id=id, entries=len(erased), runs=len(runs), trash=str(trash))
