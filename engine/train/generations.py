"""A model's saves: numbered generations, each complete or absent, the last good ones kept.

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
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from engine.protocol.errors import InputError
from engine.protocol.files import PART, disk_error
from engine.protocol.model_files import GENERATIONS
from engine.protocol.workspace import make_folder

FORMAT = 1
KEEP = 3
Tensors = Mapping[str, NDArray[Any]]
State = Mapping[str, Tensors]  # by file stem: "encoder", ..., "src_dst_opt"

_GENERATION_NAME = re.compile(r"\d{8,10}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}\.safetensors")
_LARGEST_MANIFEST_BYTES = 1 << 20
_LARGEST_FILE_BYTES = 1 << 36


class FileFacts(msgspec.Struct, frozen=True):
    """What a file of a generation must be."""

    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a generation holds. `drawn`: how many samples of each side were drawn before."""

    format: int = FORMAT
    model_class: str
    iteration: int
    seed: int
    drawn: int
    options: dict[str, Any]
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

    def __init__(self, model_folder: Path, *, keep: int = KEEP) -> None:
        self.folder = model_folder / GENERATIONS
        self.keep = keep

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
            path = self._path(iteration)
            try:
                return read_generation(path, only)
            except InputError as error:
                warn(f"the save of iteration {iteration} is damaged: {error.message}", error.remedy)
        if found:
            raise InputError(
                f"all {len(found)} saves in {self.folder} are damaged",
                "restore the folder from a copy, or move it away to start the model anew",
                code="model-damaged",
            )
        return None

    def put_aside_after(self, iteration: int) -> list[Path]:
        """Rename (damaged) generations newer than `iteration`, so that training on from there can
        save under their numbers. Returns where they are now."""
        moved = []
        for number in self.iterations():
            if number > iteration:
                target = self.folder / f"{number:08d}.damaged-{secrets.token_hex(3)}"
                self._path(number).rename(target)
                moved.append(target)
        return moved

    def write(self, manifest: Manifest, state: State) -> Path:
        """Save a generation and forget the oldest ones. Returns its folder.

        Raises `InputError` when the disk is full or the folder not writable; all earlier
        generations are unchanged then.
        """
        make_folder(self.folder)
        final = self._path(manifest.iteration)
        beside = self.folder / f".{final.name}.{secrets.token_hex(4)}{PART}"
        try:
            if final.exists():
                return final
            beside.mkdir()
            _write_files(beside, manifest, state)
            beside.rename(final)
            _sync(self.folder)
        except OSError as error:
            raise disk_error(error, final) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        self._prune()
        return final

    def sweep(self) -> None:
        """Remove what killed runs left half-written."""
        if self.folder.is_dir():
            for entry in os.scandir(self.folder):
                if entry.name.startswith(".") and PART in entry.name and entry.is_dir():
                    shutil.rmtree(entry.path, ignore_errors=True)

    def _prune(self) -> None:
        for iteration in self.iterations()[: -self.keep]:
            # Renamed first: a kill in the middle must not leave half of what looks like a save.
            doomed = self.folder / f".{iteration:08d}.{secrets.token_hex(4)}{PART}"
            self._path(iteration).rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)

    def _path(self, iteration: int) -> Path:
        return self.folder / f"{iteration:08d}"


def read_generation(path: Path, only: Callable[[str], bool] = lambda _: True) -> Generation:
    """The generation in `path`, checked against its manifest.

    only: which files to read (and check), by stem. Raises `InputError` saying what is wrong.
    """
    try:
        manifest = _read_manifest(path / "manifest.json")
        wanted = [name for name in manifest.files if only(Path(name).stem)]
        state = {Path(name).stem: _read_tensors(path, name, manifest) for name in wanted}
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot read {error.filename or path}: {reason}", _DAMAGED) from error
    return Generation(path, manifest, state)


_DAMAGED = "an earlier save is used if there is one"


def _read_manifest(path: Path) -> Manifest:
    if path.stat().st_size > _LARGEST_MANIFEST_BYTES:
        raise InputError(f"{path} is too long for a manifest", _DAMAGED)
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is no manifest: {error}", _DAMAGED) from error
    if manifest.format > FORMAT:
        raise InputError(f"{path} has format {manifest.format}", "update Facewright")
    for name in manifest.files:
        if not _FILE_NAME.fullmatch(name):
            raise InputError(f"{path} names a file {name!r}", _DAMAGED)
    return manifest


def _read_tensors(folder: Path, name: str, manifest: Manifest) -> Tensors:
    path, facts = folder / name, manifest.files[name]
    size_bytes = path.stat().st_size
    if size_bytes != facts.size_bytes or size_bytes > _LARGEST_FILE_BYTES:
        raise InputError(f"{path} has {size_bytes} bytes, not {facts.size_bytes}", _DAMAGED)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != facts.sha256:
        raise InputError(f"{path} is not what was written (its hash differs)", _DAMAGED)
    try:
        tensors: Tensors = safetensors.numpy.load(data)
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: {error}", _DAMAGED) from error
    return tensors


def _write_files(folder: Path, manifest: Manifest, state: State) -> None:
    facts = {}
    for stem, tensors in state.items():
        whole = {name: np.asarray(array, order="C") for name, array in tensors.items()}
        data = safetensors.numpy.save(whole)
        facts[f"{stem}.safetensors"] = FileFacts(len(data), hashlib.sha256(data).hexdigest())
        _write_durably(folder / f"{stem}.safetensors", data)
    complete = msgspec.structs.replace(
        manifest, files=facts, versions=_versions(), saved_at=time.time()
    )
    encoded = msgspec.json.format(msgspec.json.encode(complete), indent=1)
    _write_durably(folder / "manifest.json", encoded)
    _sync(folder)


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "numpy": np.__version__}
    for package in ("facewright", "tensorflow", "keras"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def names_of(model_folders: Iterable[Path]) -> list[str]:
    """Which of these folders hold a saved model."""
    return sorted(path.name for path in model_folders if Generations(path).iterations())
