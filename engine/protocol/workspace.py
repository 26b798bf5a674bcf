"""Where everything lies in a workspace: DFL's layout, and our own state under `.facewright/`."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, is_file, move

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff"})
FACE_SUFFIXES = frozenset({".jpg", ".jpeg"})
# Suffixes never taken for data_src.* / data_dst.* videos, since DFL users keep notes beside them.
NOT_VIDEO_SUFFIXES = IMAGE_SUFFIXES | {".txt", ".json", ".md", ".srt", ".wav", ".mp3", ".zip"}
SIDES = ("src", "dst")
FINISHED_NAME = ".result.whole"  # holds a render's files, whole, while they take their places
DRAFT_NAME = "result_draft"
# What lies beside a result and tells of it.
_BESIDE_RESULTS = frozenset({".md", ".json", ".c2pa", ".xmp"})
STATE_FOLDER = ".facewright"


def list_images(folder: Path, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> list[Path]:
    """The folder's image files by name, not recursive; [] if there is no such folder. Hidden files
    (half-written ones among them) are left out."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if not entry.name.startswith(".")
            and os.path.splitext(entry.name)[1].lower() in suffixes  # noqa: PTH122 - 100k names
            and is_file(entry)
        ]
    return [folder / name for name in sorted(names)]


@dataclass(frozen=True)
class Side:
    """The folders of one side, "src" or "dst"."""

    root: Path
    name: str

    @property
    def frames(self) -> Path:
        return self.root / f"data_{self.name}"

    @property
    def aligned(self) -> Path:
        return self.frames / "aligned"

    @property
    def aligned_debug(self) -> Path:
        return self.frames / "aligned_debug"

    @property
    def pack(self) -> Path:
        return self.aligned / "faceset.pak"

    def person_folders(self) -> list[Path]:
        """Sub-folders of `aligned` with face pictures, by name: in DFL, a person each."""
        if not self.aligned.is_dir():
            return []
        return sorted(
            path
            for path in self.aligned.iterdir()
            if path.is_dir() and not path.name.startswith(".") and list_images(path, FACE_SUFFIXES)
        )

    @property
    def merged(self) -> Path:
        return self.frames / "merged"

    @property
    def merged_mask(self) -> Path:
        return self.frames / "merged_mask"

    def videos(self) -> list[Path]:
        """All `data_src.*` or `data_dst.*` that can be videos, by name."""
        if not self.root.is_dir():
            return []
        return sorted(
            path
            for path in self.root.glob(f"data_{self.name}.*")
            if path.is_file() and path.suffix.lower() not in NOT_VIDEO_SUFFIXES
        )

    def video(self) -> Path | None:
        """The first of `videos`, which is the one that stages take."""
        found = self.videos()
        return found[0] if found else None


@dataclass(frozen=True)
class Workspace:
    """A folder in DFL's layout. Making the object touches no disk."""

    root: Path

    def side(self, name: str) -> Side:
        if name not in SIDES:
            raise ValueError(f"side {name!r}: must be src or dst")
        return Side(self.root, name)

    @property
    def src(self) -> Side:
        return self.side("src")

    @property
    def dst(self) -> Side:
        return self.side("dst")

    @property
    def models(self) -> Path:
        return self.root / "model"

    def model(self, name: str, model_class: str) -> Path:
        """Our own folder of a model: `model/NAME_CLASS/`."""
        return self.models / f"{name}_{model_class}"

    @property
    def state(self) -> Path:
        return self.root / STATE_FOLDER

    @property
    def runs(self) -> Path:
        return self.state / "runs"

    @property
    def stage_state(self) -> Path:
        """Small JSON files in which stages remember how far they are, for resuming."""
        return self.state / "stages"

    @property
    def trash(self) -> Path:
        return self.state / "trash"

    def results(self) -> list[Path]:
        """`result.*`, drafts, and such folders of pictures, newest first; without what lies beside
        them."""
        names = ("result", DRAFT_NAME)
        found = [
            path
            for name in names
            for path in self.root.glob(f"{name}.*")
            if path.is_file() and path.suffix.lower() not in _BESIDE_RESULTS
        ]
        found += [self.root / name for name in names if list_images(self.root / name)]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)

    def new_trash_folder(self, label: str) -> Path:
        """A folder of the trash that is not there yet, named after now and `label`; not made."""
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{label}"
        number, folder = 1, self.trash / stem
        while folder.exists():
            number += 1
            folder = self.trash / f"{stem}-{number}"
        return folder

    def move_to_trash(self, paths: list[Path], label: str) -> Path | None:
        """Move what exists of `paths` (inside the workspace) to a new folder of the trash, keeping
        their place relative to the workspace. Returns that folder, or None if nothing existed."""
        existing = [path for path in paths if path.exists()]
        if not existing:
            return None
        bin_folder = self.new_trash_folder(label)
        try:
            for path in existing:
                target = bin_folder / path.relative_to(self.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                move(path, target)
        except OSError as error:
            raise disk_error(error, bin_folder) from error
        return bin_folder


def make_folder(path: Path) -> Path:
    """The folder, made if need be. Raises `InputError` when the disk is full or read-only."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{path} is a file, not a folder", f"move {path.name} away") from None
    except OSError as error:
        raise disk_error(error, path) from error
    return path
