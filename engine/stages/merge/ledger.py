"""What this stage has rendered: a line per frame, appended as frames are finished.

`claim` lines name the frames that are about to be rendered, so that a file found after a kill is
known to be this stage's own, and not taken for the frame's rendering before. Pictures that no line
knows are somebody else's, and are not replaced.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import msgspec

from engine.protocol.files import disk_error, write_atomically
from engine.protocol.hashing import Digest
from engine.protocol.workspace import Workspace, make_folder

LEDGER_NAME = "merge.jsonl"
MAX_LINE_BYTES = 1 << 26
# As catalogued classes are called. It stands in disclosure sheets as it is.
ModelClass = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{0,32}\Z")]


class Rendered(msgspec.Struct, tag_field="is", tag="rendered", frozen=True):
    """A finished frame: what it was made of (`job_key`) and its files' sizes in bytes. model,
    settings: what tells the nets and the looks of its faces from others, as `Origin`. faces: how
    many of its faces were replaced; None in lines of before that was written down."""

    stem: str
    key: str
    image_bytes: int
    mask_bytes: int
    model: Digest = ""
    settings: Digest = ""
    faces: int | None = None
    model_class: ModelClass = ""
    iteration: int | None = None


class Claim(msgspec.Struct, tag_field="is", tag="claim", frozen=True):
    """Frames that a run began to render."""

    stems: tuple[str, ...]


Line = Rendered | Claim
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


@dataclass
class Ledger:
    """The lines read back: frames claimed or rendered, and the last rendering of each."""

    path: Path
    owned: set[str] = field(default_factory=set)
    rendered: dict[str, Rendered] = field(default_factory=dict)
    _descriptor: int = -1

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        """The workspace's ledger as it is on disk; empty if there is none. Lines that a kill or a
        full disk cut off, or that this stage would not write, are left out."""
        ledger = cls(workspace.stage_state / LEDGER_NAME)
        if ledger.path.is_file():
            with ledger.path.open("rb") as lines:
                while line := lines.readline(MAX_LINE_BYTES):
                    ledger._take(line)
        return ledger

    def _take(self, text: bytes) -> None:
        try:
            line = _decoder.decode(text)
        except msgspec.DecodeError:
            return
        if isinstance(line, Claim):
            self._give_up(line.stems)
        else:
            self.owned.add(line.stem)
            self.rendered[line.stem] = line

    def begin(self, stems: Iterable[str], finished: Collection[str]) -> None:
        """Write the ledger anew: all of `stems` claimed, only `finished` known as rendered."""
        self.owned = set(stems)
        self.rendered = {stem: self.rendered[stem] for stem in finished}
        lines: list[Line] = [Claim(tuple(sorted(self.owned))), *self.rendered.values()]
        make_folder(self.path.parent)
        write_atomically(self.path, b"".join(map(_line, lines)))

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise disk_error(error, self.path) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def claim(self, stems: Iterable[str]) -> None:
        """Append that these frames are about to be rendered anew: what is known of them holds no
        more, whatever becomes of it."""
        claim = Claim(tuple(stems))
        self._append(claim)
        self._give_up(claim.stems)

    def add(self, rendered: Rendered) -> None:
        """Append one finished frame. It survives a kill of this process at once."""
        self._append(rendered)
        self.rendered[rendered.stem] = rendered

    def _give_up(self, stems: Iterable[str]) -> None:
        self.owned.update(stems)
        for stem in stems:
            self.rendered.pop(stem, None)

    def _append(self, line: Line) -> None:
        try:
            os.write(self._descriptor, _line(line))
        except OSError as error:
            raise disk_error(error, self.path) from error


def lines_of(workspace: Workspace, pictures: Sequence[Path]) -> list[Rendered | None]:
    """The line of each merged picture; None for those that somebody else made, or changed."""
    rendered = Ledger.of(workspace).rendered
    return [_still(rendered.get(path.stem), path) for path in pictures]


def _still(line: Rendered | None, path: Path) -> Rendered | None:
    return line if line and path.stat().st_size == line.image_bytes else None


def _line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
