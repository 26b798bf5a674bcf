"""Which frames are there already, and what is to be done about them, before anything is written."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.media.frame_record import FrameRecord, Settings
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.workspace import Side, list_images

_NUMBERED = re.compile(r"(\d{5,})\.(png|jpe?g)")
# A power cut can leave the last files empty or torn, since frames are not synced one by one.
_VERIFIED_AT_THE_END = 16


@dataclass(frozen=True)
class Plan:
    """present: numbers of whole frames to keep. replaced: files that go to the trash first.
    complete: nothing is left to do. others: pictures in the folder that are no frames of ours."""

    present: frozenset[int] = frozenset()
    replaced: tuple[Path, ...] = ()
    complete: bool = False
    others: int = 0


def plan_extraction(
    side: Side, settings: Settings, record: FrameRecord | None, fresh: bool
) -> Plan:
    """Decide by what lies in the side's frames folder. Touches no file."""
    images = list_images(side.frames)
    numbered = [path for path in images if _NUMBERED.fullmatch(path.name.lower())]
    others = len(images) - len(numbered)
    if fresh or record is None or record.settings != settings:
        return Plan(replaced=tuple(numbered), others=others)
    ours = [path for path in numbered if _is_ours(path, record)]
    if len(ours) < len(numbered):
        return Plan(replaced=tuple(numbered), others=others)
    present = frozenset(int(path.stem) for path in _whole(ours))
    timing = record.timing
    complete = timing is not None and present >= set(range(1, timing.frames + 1))
    return Plan(present=present, complete=complete, others=others)


def require_confirmation(plan: Plan, side: Side, confirmed: bool) -> None:
    """Raises `ConfirmationNeeded` if frames would go to the trash without the user's word."""
    if plan.replaced and not confirmed:
        raise ConfirmationNeeded(
            f"{side.frames} holds {len(plan.replaced)} frames of another video or of other"
            " settings, or they are to be made afresh",
            "confirm (--yes) to move them to the workspace's trash, or keep the settings to go on"
            " with them",
        )


def require_writable(side: Side) -> None:
    """Raises `InputError` if the frames folder cannot be written to."""
    folder = side.frames
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder", f"move {folder.name} away")
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"not allowed to write in {folder}", "make the folder writable", code="read-only"
        )


def frame_name(number: int, digits: int, suffix: str) -> str:
    """`00001.png`: the name of frame `number`, counted from 1."""
    return f"{number:0{digits}d}{suffix}"


def _is_ours(path: Path, record: FrameRecord) -> bool:
    number = int(path.stem)
    last = record.timing.frames if record.timing else number
    wanted = frame_name(number, record.digits, f".{record.settings.format}")
    return path.name == wanted and 1 <= number <= last


def _whole(frames: Sequence[Path]) -> list[Path]:
    """The frames without empty files, and of the last ones only those that can be read."""
    filled = [path for path in frames if path.stat().st_size > 0]
    return filled[:-_VERIFIED_AT_THE_END] + [
        path for path in filled[-_VERIFIED_AT_THE_END:] if _readable(path)
    ]


def _readable(path: Path) -> bool:
    try:
        read_image_bgr_u8(path)
    except InputError:
        return False
    return True
