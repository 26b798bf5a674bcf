"""Resources that one run at a time may write, held by file locks that die with their process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error
from engine.protocol.spec import StageSpec
from engine.protocol.workspace import Workspace


@contextlib.contextmanager
def resources_held(
    workspace: Workspace, spec: StageSpec, options: Mapping[str, Any], run_id: str
) -> Iterator[None]:
    """Hold all of the stage's resources for the block. Raises `InputError` naming the run that
    holds one."""
    with contextlib.ExitStack() as stack:
        for template in spec.resources:
            resource = template.format_map(options)
            stack.enter_context(_held(workspace.state / "locks", resource, run_id))
        yield


@contextlib.contextmanager
def _held(folder: Path, resource: str, run_id: str) -> Iterator[None]:
    path = folder / (re.sub(r"[^\w.-]", "_", resource) + ".lock")
    descriptor = _lock(path, resource)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, run_id.encode())
        yield
    finally:
        # Unlinked while held, so whoever opened it meanwhile sees another inode and tries again.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _lock(path: Path, resource: str) -> int:
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # the folder was removed between the two calls
        except OSError as error:
            raise disk_error(error, path) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace") or "another run"
            os.close(descriptor)
            raise InputError(
                f"run {holder} is working on {resource}",
                "wait for it or stop it: `facewright stop RUN`",
                code="busy",
            ) from None
        if _still_there(path, descriptor):
            return descriptor
        os.close(descriptor)


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except OSError:
        return False
