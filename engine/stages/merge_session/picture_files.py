"""Where pictures lie for viewers: a few file names in turn, in memory where the system can."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.media.images import ImageU8, encode_image
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.workspace import make_folder

# How many pictures of a kind stay: a viewer that reads one when two newer ones are there is late.
KEPT = 4
JPEG_QUALITY = 90
_IN_MEMORY = Path("/dev/shm")
_PREFIX = "facewright-pictures-"
_LOCK = "lock"


class PictureFiles:
    """A folder of pictures that lives as long as the block. What killed sessions left behind is
    removed by the next one."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._folder = run_dir
        self._turns: dict[str, int] = {}
        self._lock = -1

    def __enter__(self) -> Self:
        if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK | os.X_OK):
            _remove_orphans()
            with contextlib.suppress(OSError):
                self._folder = (
                    _IN_MEMORY / f"{_PREFIX}{os.getuid()}-{self._run_dir.name}-{os.getpid()}"
                )
                self._folder.mkdir(mode=0o700)
                self._lock = _locked(self._folder)
                return self
        self._folder = make_folder(self._run_dir / "pictures")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)

    def forget(self, kind: str) -> None:
        """Remove the pictures of a kind that nobody looks at any more."""
        self._turns.pop(kind, None)
        for turn in range(KEPT):
            self._path(kind, turn).unlink(missing_ok=True)

    def write(self, kind: str, picture: ImageU8) -> Path:
        """The picture as a JPEG of that kind. Raises `InputError` if it cannot be written."""
        turn = self._turns[kind] = (self._turns.get(kind, -1) + 1) % KEPT
        path = self._path(kind, turn)
        try:
            data = encode_image(picture, path.suffix, jpeg_quality=JPEG_QUALITY)
        except ValueError as error:
            raise InputError(f"cannot show the picture: {error}") from error
        write_atomically(path, data, durable=False)
        return path

    def _path(self, kind: str, turn: int) -> Path:
        return self._folder / f"{kind}-{turn}.jpg"


def _remove_orphans() -> None:
    for folder in _folders():
        try:
            descriptor = _locked(folder)
        except OSError:
            continue  # its session lives, or it is somebody else's
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _folders() -> Iterator[Path]:
    mine = f"{_PREFIX}{os.getuid()}-"
    with os.scandir(_IN_MEMORY) as entries:
        yield from [Path(entry.path) for entry in entries if entry.name.startswith(mine)]


def _locked(folder: Path) -> int:
    """A lock that dies with the process. Raises `OSError` where another one holds it."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
