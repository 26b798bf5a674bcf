"""A model's saves: numbered generations, each complete or absent; the newest and the best are kept.

    model/NAME_CLASS/generations/00000123/
        encoder.safetensors ...     one file per net, and the optimizers' state
        manifest.json               iteration, options, seed, samples drawn, each file's hash

A generation is written beside, forced to the disk, and renamed once; nothing in it can execute.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, sync
from engine.protocol.model_files import GENERATIONS, LARGEST_MANIFEST_BYTES, MANIFEST, list_saves
from engine.protocol.workspace import make_folder
from engine.train.save_folders import forget_save, part_beside, put_in_place, sweep_saves
from engine.train.tensor_files import (
    DAMAGED,
    FileFacts,
    Tensors,
    check_file,
    read_tensors,
    write_tensors,
)

FORMAT = 1
COLLAPSES_KEPT = 2  # of whose saves somebody may want to see what happened
State = Mapping[str, Tensors]  # by file stem: "encoder", ..., "src_dst_opt"

_GENERATION_NAME = re.compile(r"\d{8,10}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}\.safetensors")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a generation holds.

    drawn: how many samples of each side were drawn before. smoothed_loss: what the losses' sum was
    of late (`engine.train.history.HistoryWriter.comparable_loss`): tells the best save.
    carried: what companions need to go on from here, by `Companion.carried_as`.
    """

    format: int = FORMAT
    model_class: str
    iteration: int
    seed: int
    drawn: int
    options: dict[str, Any]
    smoothed_loss: float | None = None
    carried: dict[str, dict[str, Any]] = {}
    files: dict[str, FileFacts] = {}
    versions: dict[str, str] = {}
    saved_at: float = 0.0

    def fingerprint(self) -> str:
        """A short text that only this generation's weights have."""
        hashes = "".join(f"{name}{self.files[name].sha256}" for name in sorted(self.files))
        return hashlib.sha256(hashes.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Generation:
    """A generation that was read and is what its manifest says."""

    path: Path
    manifest: Manifest
    state: State


class Generations:
    """The generations of one model, in `model_folder`/generations."""

    def __init__(self, model_folder: Path) -> None:
        self.model_folder = model_folder
        self.folder = model_folder / GENERATIONS

    def iterations(self) -> list[int]:
        """Of all generations that are there, oldest first, unchecked."""
        if not self.folder.is_dir():
            return []
        names = [entry.name for entry in os.scandir(self.folder) if entry.is_dir()]
        return sorted(int(name) for name in names if _GENERATION_NAME.fullmatch(name))

    def newest(
        self, warn: Callable[[str, str], None], *, only: Callable[[str], bool] = lambda _: True
    ) -> Generation | None:
        """The newest generation whose files are what they should be; None if there is none at all.

        only: which files to read, by stem. Warns of each damaged one on the way. Raises
        `InputError` if generations exist and all are damaged: starting anew would bury them.
        """
        found = self.iterations()
        for iteration in reversed(found):
            path = self.path(iteration)
            try:
                return read_generation(path, only)
            except InputError as error:
                warn(f"the save of iteration {iteration} is damaged: {error.message}", error.remedy)
        if found:
            raise InputError(
                f"all {len(found)} saves in {self.folder} are damaged",
                "go back to a backup or snapshot (model-restore), or move the folder away to start"
                " the model anew",
                code="model-damaged",
            )
        return None

    def put_aside_after(self, iteration: int, why: str = "damaged") -> list[Path]:
        """Rename (damaged or collapsed) generations newer than `iteration`, so that training on
        from there can save under their numbers. Returns where they are now."""
        when = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        moved = []
        for number in self.iterations():
            if number > iteration:
                target = self.folder / f"{number:08d}.{why}-{when}"
                self.path(number).rename(target)
                moved.append(target)
        return moved

    def aside(self, why: str) -> list[Path]:
        """What `put_aside_after` has renamed for that reason, oldest first."""
        found = [path for path in self.folder.glob(f"*.{why}-*") if path.is_dir()]
        return sorted(found, key=lambda path: (path.suffix, path.name))

    def forget_collapsed(self) -> None:
        """Remove what was put aside as collapsed, but for the last times: weeks of training must
        not fill the disk with it. Raises `InputError` if that fails."""
        found = self.aside("collapsed")
        times = sorted({path.suffix for path in found})  # all of one time have the same
        for path in found:
            if path.suffix in times[:-COLLAPSES_KEPT]:
                forget_save(path)

    def write(self, manifest: Manifest, state: State) -> Path:
        """Save a generation, besides all that are there. Returns its folder.

        Raises `InputError` when the disk is full or the folder not writable; all earlier
        generations are unchanged then.
        """
        make_folder(self.folder)
        final = self.path(manifest.iteration)
        beside = part_beside(final)
        try:
            if final.exists():
                return final
            beside.mkdir()
            _write_files(beside, manifest, state)
            put_in_place(beside, final)
        except OSError as error:
            raise disk_error(error, final) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return final

    def prune(self, keep: int) -> None:
        """Forget all generations but the newest `keep` and the best. Raises `InputError` naming one
        that could not be removed, after the others; none is half gone then."""
        kept = set(self.iterations()[-keep:])
        kept |= {save.iteration for save in list_saves(self.model_folder) if save.is_best}
        failed: list[InputError] = []
        for iteration in self.iterations():
            if iteration not in kept:
                try:
                    forget_save(self.path(iteration))
                except InputError as error:
                    failed.append(error)
        if failed:
            raise failed[0]

    def sweep(self) -> None:
        """Remove what killed runs left half-written."""
        sweep_saves(self.folder)

    def path(self, iteration: int) -> Path:
        """Where the generation of that iteration is, if there is one."""
        return self.folder / f"{iteration:08d}"


def read_generation(path: Path, only: Callable[[str], bool] = lambda _: True) -> Generation:
    """The generation in `path`, checked against its manifest.

    only: which files to read (and check), by stem. Raises `InputError` saying what is wrong.
    """
    with _reading(path):
        manifest = _read_manifest(path / MANIFEST)
        wanted = [name for name in manifest.files if only(Path(name).stem)]
        state = {
            Path(name).stem: read_tensors(path / name, manifest.files[name]) for name in wanted
        }
    return Generation(path, manifest, state)


def check_generation(path: Path) -> Manifest:
    """The manifest of the generation in `path`, all of whose files are what they should be; without
    holding them in memory. Raises `InputError` saying what is wrong."""
    with _reading(path):
        manifest = _read_manifest(path / MANIFEST)
        for name, facts in manifest.files.items():
            check_file(path / name, facts)
    return manifest


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot read {error.filename or path}: {reason}", DAMAGED) from error


def _read_manifest(path: Path) -> Manifest:
    if path.stat().st_size > LARGEST_MANIFEST_BYTES:
        raise InputError(f"{path} is too long for a manifest", DAMAGED)
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is no manifest: {error}", DAMAGED) from error
    if manifest.format > FORMAT:
        raise InputError(f"{path} has format {manifest.format}", "update Facewright")
    for name in manifest.files:
        if not _FILE_NAME.fullmatch(name):
            raise InputError(f"{path} names a file {name!r}", DAMAGED)
    return manifest


def _write_files(folder: Path, manifest: Manifest, state: State) -> None:
    names = {stem: f"{stem}.safetensors" for stem in state}
    facts = {names[stem]: write_tensors(folder / names[stem], state[stem]) for stem in state}
    complete = msgspec.structs.replace(
        manifest, files=facts, versions=_versions(), saved_at=time.time()
    )
    encoded = msgspec.json.format(msgspec.json.encode(complete), indent=1)
    (folder / MANIFEST).write_bytes(encoded)
    sync(folder / MANIFEST)


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "numpy": np.__version__}
    for package in ("facewright", "tensorflow", "keras"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def names_of(model_folders: Iterable[Path]) -> list[str]:
    """Which of these folders hold a saved model."""
    return sorted(path.name for path in model_folders if Generations(path).iterations())
