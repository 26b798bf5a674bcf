"""The folders that are written to, and what may be in them already."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import sweep_parts
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, list_images, make_folder
from engine.stages.merge.ledger import Ledger

SUFFIX = ".png"


@dataclass(frozen=True)
class Outputs:
    """Where merged frames and their masks go."""

    merged: Path
    merged_mask: Path

    @classmethod
    def of(cls, side: Side) -> Outputs:
        return cls(side.merged, side.merged_mask)

    @property
    def folders(self) -> tuple[Path, Path]:
        return self.merged, self.merged_mask

    def paths(self, stem: str) -> tuple[Path, Path]:
        """Picture and mask of that frame."""
        return self.merged / (stem + SUFFIX), self.merged_mask / (stem + SUFFIX)

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Stem -> sizes in bytes of picture and mask, for frames that have both."""
        pictures, masks = (_sizes(folder) for folder in self.folders)
        return {stem: (pictures[stem], masks[stem]) for stem in pictures.keys() & masks.keys()}


def finished_frames(ledger: Ledger, outputs: Outputs, keys: dict[str, str]) -> set[str]:
    """Frames (of `keys`: stem -> what it would be made of now) whose files are as this stage wrote
    them, from the same picture, faces, model and look."""
    sizes = outputs.sizes()
    return {
        stem
        for stem, line in ledger.rendered.items()
        if keys.get(stem) == line.key and sizes.get(stem) == (line.image_bytes, line.mask_bytes)
    }


def clear_the_way(
    context: StageContext, ledger: Ledger, outputs: Outputs, stems: Collection[str]
) -> None:
    """Make the folders, and move to the trash what must not stay: pictures of frames that are gone;
    pictures that this stage did not make or that were changed since; with `fresh` everything.

    Raises `ConfirmationNeeded`, before anything is changed, where these are not the stage's own.
    """
    foreign, gone, changed = _in_the_way(ledger, outputs, stems)
    replaced = _everything(outputs) if context.options["fresh"] else foreign
    if replaced and not context.confirmed:
        raise ConfirmationNeeded(
            f"{outputs.merged} and {outputs.merged_mask.name} hold {len(replaced)} pictures that"
            " this stage did not make, or they are to be made afresh",
            "confirm (--yes) to move them to the workspace's trash",
        )
    for folder in outputs.folders:
        _require_writable(folder)
    trash = context.workspace.move_to_trash(sorted({*replaced, *gone, *changed}), "merge")
    if trash:
        context.note(f"pictures that are no longer wanted or not this stage's own moved to {trash}")
    for folder in outputs.folders:
        make_folder(folder)
        sweep_parts(folder)


def _in_the_way(
    ledger: Ledger, outputs: Outputs, stems: Collection[str]
) -> tuple[list[Path], list[Path], list[Path]]:
    """What others made, what belongs to frames that are gone, what was changed after rendering."""
    foreign, gone, changed = [], [], []
    for path in _everything(outputs):
        if path.suffix != SUFFIX or path.stem not in ledger.owned:
            foreign.append(path)
        elif path.stem not in stems:
            gone.append(path)
        elif _was_changed(path, ledger, outputs):
            changed.append(path)
    return foreign, gone, changed


def _was_changed(path: Path, ledger: Ledger, outputs: Outputs) -> bool:
    """Whether a finished picture has another size than when it was written. Empty files are what a
    power cut leaves, not somebody's work."""
    line = ledger.rendered.get(path.stem)
    if line is None:
        return False
    written = line.image_bytes if path.parent == outputs.merged else line.mask_bytes
    return path.stat().st_size not in (0, written)


def _everything(outputs: Outputs) -> list[Path]:
    return [path for folder in outputs.folders for path in list_images(folder)]


def _require_writable(folder: Path) -> None:
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"not allowed to write in {folder}", "make the folder writable", code="read-only"
        )


def _sizes(folder: Path) -> dict[str, int]:
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        return {
            entry.name.removesuffix(SUFFIX): entry.stat().st_size
            for entry in entries
            if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
        }
