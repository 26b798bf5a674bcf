"""The frames of a side in review: where one is, what is marked, which debug pictures are gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error
from engine.protocol.frame_marks import (
    BY_HAND,
    KEEP,
    NO_FACE,
    SUSPICIOUS,
    FrameMark,
    Marks,
    change_marks,
    marks_path,
    read_marks,
)
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import Side, Workspace, list_images
from tuiapp.bridge.wording import count_text, plain_text

REASON_WORDS = {
    NO_FACE: "without a face",
    SUSPICIOUS: "suspicious",
    BY_HAND: "marked",
    KEEP: "kept as is",
}


@dataclass(frozen=True)
class FrameLook:
    """What one look at the disk found. frames: files by name; debug: stems of debug pictures."""

    frames: tuple[str, ...] = ()
    debug: frozenset[str] = frozenset()
    marks: Marks = field(default_factory=dict)


def look_at_frames(workspace: Workspace, side_name: str) -> FrameLook:
    """Look at the side's frames, debug pictures and marks; names only. Raises `InputError` for
    marks that cannot be used."""
    side = workspace.side(side_name)
    return FrameLook(
        tuple(path.name for path in list_images(side.frames)),
        frozenset(path.stem for path in list_images(side.aligned_debug)),
        read_marks(marks_path(workspace, side_name)),
    )


def review_version(workspace: Workspace, side_name: str) -> tuple[int, ...]:
    """Changes when a look would find something else: nothing is listed for it."""
    side = workspace.side(side_name)
    watched = (side.frames, side.aligned_debug, marks_path(workspace, side_name))
    return tuple(_changed_ns(path) for path in watched)


@dataclass
class FrameReview:
    """Where the review of a side is; outlives its screen. A side is looked at by `take`."""

    side_name: str
    look: FrameLook = field(default_factory=FrameLook)
    cursor: int = 0

    @property
    def current(self) -> str | None:
        """The frame that is seen, by name; None if there is none."""
        return self.look.frames[self.cursor] if self.look.frames else None

    @property
    def mark(self) -> FrameMark:
        """What is said of the frame that is seen."""
        return self.look.marks.get(self.current or "", FrameMark())

    @property
    def lacks_debug(self) -> bool:
        """The frame's debug picture was deleted; not so where there are none at all."""
        is_there = Path(self.current or "").stem in self.look.debug
        return bool(self.look.debug) and not is_there

    def take(self, look: FrameLook) -> None:
        """Another look; the same frame is seen if it is still there."""
        seen = self.current
        self.look = look
        names = look.frames
        if seen in names:
            self.cursor = names.index(seen)
        else:
            self.cursor = min(self.cursor, max(0, len(names) - 1))

    def move(self, frames: int) -> None:
        self.move_to(self.cursor + frames)

    def move_to(self, place: int) -> None:
        self.cursor = max(0, min(place, len(self.look.frames) - 1))

    def seek(self, wanted: Callable[[FrameMark], bool], direction: int) -> bool:
        """To the next frame (or back) whose mark is wanted, going on at the other end. Returns
        whether there is one."""
        names = self.look.frames
        for step in range(1, len(names) + 1):
            place = (self.cursor + direction * step) % len(names)
            if wanted(self.look.marks.get(names[place], FrameMark())):
                self.cursor = place
                return True
        return False

    def counts(self) -> dict[str, int]:
        """How many of the frames carry each reason."""
        present = [self.look.marks.get(name, FrameMark()).reasons for name in self.look.frames]
        return {reason: sum(reason in own for own in present) for reason in REASON_WORDS}

    def missing_debug(self) -> int:
        """How many frames lack their debug picture; 0 where there are none at all."""
        if not self.look.debug:
            return 0
        return sum(Path(name).stem not in self.look.debug for name in self.look.frames)


class ReviewFolder:
    """Changes what is on disk. Runs in threads; raises `InputError`."""

    def __init__(self, workspace: Workspace, side_name: str) -> None:
        self._side: Side = workspace.side(side_name)
        self._marks = marks_path(workspace, side_name)
        self._trash = TrashCopies(workspace, f"debug-review-{side_name}")
        self._root = workspace.root
        self._deleted: list[Path] = []

    def toggle(self, frame: str, reason: str, note: str = "") -> Marks:
        """Give the frame the reason, or take it away; with a note it is given in any case."""

        def changed(marks: Marks) -> Marks:
            mark = marks.get(frame, FrameMark())
            if reason in mark.reasons and not note:
                marks[frame] = mark.without_reason(reason)
            else:
                marks[frame] = mark.with_reason(reason, note)
            return marks

        return change_marks(self._marks, changed)

    def delete_debug(self, frame: str) -> None:
        """Move the frame's debug picture to the trash."""
        path = self.debug_picture(frame)
        if path is None:
            raise InputError(
                f"the debug picture of {frame} is deleted already, or was never made",
                "key u brings back what was deleted here, key p makes them",
            )
        self._trash.keep(path)
        try:
            path.unlink()
        except OSError as error:
            raise disk_error(error, path) from error
        self._deleted.append(path)

    def restore_debug(self) -> str | None:
        """Bring the picture back that was deleted last; its name, None if there is none."""
        if not self._deleted or self._trash.folder is None:
            return None
        path = self._deleted.pop()
        if path.exists():
            return path.name  # extracted again meanwhile
        try:
            (self._trash.folder / path.relative_to(self._root)).replace(path)
        except OSError as error:
            raise disk_error(error, path) from error
        return path.name

    def debug_picture(self, frame: str) -> Path | None:
        """Where the frame's debug picture is; None if there is none."""
        stem = Path(frame).stem
        for suffix in (".jpg", ".jpeg", ".png"):
            path = self._side.aligned_debug / f"{stem}{suffix}"
            if path.is_file():
                return path
        return None

    def picture(self, frame: str) -> Path:
        """The picture to show of the frame: with its landmarks, else as it is."""
        return self.debug_picture(frame) or self._side.frames / frame


def where_words(review: FrameReview) -> str:
    """`00012.png  12 of 250  suspicious: the landmarks jump by 8 %`"""
    if review.current is None:
        return "no frames"
    mark = review.mark
    reasons = [words for reason, words in REASON_WORDS.items() if reason in mark.reasons]
    parts = [
        plain_text(review.current),
        f"{count_text(review.cursor + 1)} of {count_text(len(review.look.frames))}",
        ", ".join(reasons) + (f": {plain_text(mark.note)}" if mark.note else ""),
        "debug picture deleted" if review.lacks_debug else "",
    ]
    return "  ".join(part for part in parts if part)


def count_words(review: FrameReview) -> str:
    """`3 without a face (w), 2 suspicious (s), 1 marked (m), 4 deleted`"""
    keys = {NO_FACE: " (w)", SUSPICIOUS: " (s)", BY_HAND: " (m)", KEEP: ""}
    counts = review.counts()
    parts = [
        f"{count_text(counts[reason])} {words}{keys[reason]}"
        for reason, words in REASON_WORDS.items()
        if counts[reason]
    ]
    if review.missing_debug():
        parts.append(f"{count_text(review.missing_debug())} deleted")
    if not review.look.debug and review.look.frames:
        parts.append("no debug pictures: key p makes them, until then frames are shown as they are")
    return ", ".join(parts) or "nothing is marked; key c has the landmarks checked"


def _changed_ns(path: Path) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - asked every two seconds
    except OSError:
        return 0
