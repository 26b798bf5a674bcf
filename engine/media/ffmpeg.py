"""The ffmpeg program as a process: started quiet, fed by a pipe or not, its complaints kept."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import IO

import imageio_ffmpeg

from engine.protocol.errors import FacewrightError, InputError, StageError

_POLL_S = 0.2
_TOLD_LINES = 6


def ffmpeg_program() -> str:
    """The path of ffmpeg: imageio-ffmpeg's own, or what IMAGEIO_FFMPEG_EXE names. Raises
    `StageError` if there is none."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise StageError(
            f"no ffmpeg program: {error}",
            "install the package imageio-ffmpeg for this machine, or set IMAGEIO_FFMPEG_EXE",
            code="no-ffmpeg",
        ) from error


class Ffmpeg:
    """A running ffmpeg. Leaving the block by an error kills it; `finish` waits for its good end."""

    def __init__(self, arguments: Sequence[str], *, task: str) -> None:
        """`task` says in words what it does, for errors. Its stdin and stdout are pipes."""
        self._task = task
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        # A session of its own: Ctrl-C in a terminal is for the engine, which ends ffmpeg itself.
        program = ffmpeg_program()
        try:
            self._process = subprocess.Popen(
                [program, "-hide_banner", "-nostats", "-v", "warning", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                start_new_session=True,
            )
        except OSError as error:
            raise StageError(
                f"cannot start {program}: {error.strerror}",
                "install imageio-ffmpeg anew, or set IMAGEIO_FFMPEG_EXE to a working ffmpeg",
                code="no-ffmpeg",
            ) from error

    def __enter__(self) -> Ffmpeg:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._complaints):
            if pipe is not None:
                pipe.close()
        self._close_stdin()

    @property
    def stdin(self) -> IO[bytes]:
        """Where pictures are written to. Writing raises `BrokenPipeError` when ffmpeg gave up: then
        `failure` tells why."""
        if self._process.stdin is None:
            raise ValueError("ffmpeg has no stdin")
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """Where pictures that it sends to `pipe:1` are read from."""
        if self._process.stdout is None:
            raise ValueError("ffmpeg has no stdout")
        return self._process.stdout

    def close_stdin(self) -> None:
        """Tell it that no more pictures come."""
        self._close_stdin()

    def written_frames(self) -> Iterator[int]:
        """With `-progress pipe:1` among the arguments: how many frames it has written, at least
        five times a second until it ends."""
        pipe = self._process.stdout
        if pipe is None:
            raise ValueError("ffmpeg has no stdout")
        frames, rest = 0, b""
        while True:
            if select.select([pipe], [], [], _POLL_S)[0]:
                chunk = os.read(pipe.fileno(), 1 << 16)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                counts = [line[6:].strip() for line in lines if line.startswith(b"frame=")]
                frames = int(counts[-1]) if counts else frames
            yield frames

    def finish(self, while_waiting: Callable[[], None]) -> None:
        """Close the pipe and wait for the end. `while_waiting` is called every fifth of a second
        and may raise. Raises `failure` if ffmpeg failed."""
        self._close_stdin()
        while True:
            try:
                status = self._process.wait(timeout=_POLL_S)
                break
            except subprocess.TimeoutExpired:
                while_waiting()
        if status != 0:
            raise self.failure()

    def failure(self) -> FacewrightError:
        """What went wrong, in ffmpeg's own words: an `InputError` for a full disk, else a
        `StageError`."""
        status = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").splitlines()
        told = "\n".join(lines[-_TOLD_LINES:]) or "it said nothing"
        message = f"ffmpeg could not {self._task} (status {status}):\n{told}"
        if os.strerror(errno.ENOSPC) in told:
            return InputError(message, "make room", code="disk-full")
        return StageError(message, "see what ffmpeg says about it", code="ffmpeg")

    def _close_stdin(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                return  # it ended before all was sent; its status tells
