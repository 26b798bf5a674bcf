"""Reads DeepFaceLab's merger sessions: the look of each frame that was visited in its window.

What else a session holds is left: landmarks and motion (those of the faceset count, which may have
been made anew since), and which frames are done (that is known by what they were made of).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePath
from typing import Any

from engine.faces.inert_objects import decode_with_objects
from engine.protocol.errors import InputError
from engine.protocol.look import Look
from engine.protocol.look_options import LOOK_FIELDS
from engine.protocol.options import Choice, Kind, ValueRefused
from engine.protocol.timeline import ALL_FACES, Key, Timeline
from engine.protocol.timeline_edits import visit
from engine.protocol.timeline_file import FrameNumbers
from engine.protocol.workspace import Workspace

LARGEST_BYTES = 1 << 28  # a frame with a face takes 1,300 bytes
NAMED_AT_MOST = 5
_FIELDS = {option.name: option.kind for option in LOOK_FIELDS}
_REMEDY = "set the looks anew; nothing is deleted, the session's file neither"


@dataclass(frozen=True)
class DflSession:
    """The looks of a session, and what of it could not be taken over, in sentences."""

    timeline: Timeline
    problems: tuple[str, ...]


def dfl_session_path(workspace: Workspace, model: str, model_class: str) -> Path:
    """Where DeepFaceLab keeps the session of that model."""
    return workspace.models / f"{model}_{model_class}_merger_session.dat"


def read_dfl_session(path: Path, stems: Sequence[str]) -> DflSession:
    """The session over the frames named `stems` (in order). Frames of the session that are not
    there now keep their looks for when they are.

    Raises `InputError` for a file that cannot be read, is damaged or hostile, or is no session, and
    for a session none of whose frames is there: it is another video's.
    """
    try:
        frames = list(_frames(decode_with_objects(_read_bounded(path))))
    except InputError as error:
        raise _unusable(path, error.message) from error
    if frames and not {stem for stem, _ in frames} & set(stems):
        raise _unusable(path, f"none of its frames is there ({frames[0][0]} is its first one)")
    problems: list[str] = []
    looks = {
        stem: _look(config, f"frame {stem}", problems)
        for stem, config in frames
        if config is not None
    }
    return DflSession(_timeline(looks, FrameNumbers(stems)), _listed(problems))


def _timeline(looks: Mapping[str, Look], numbers: FrameNumbers) -> Timeline:
    timeline, keys, before = Timeline(), list[Key](), Look()
    places = [(*numbers.of(stem), look) for stem, look in looks.items()]
    own = [Key(number, ALL_FACES, look, missing=missing) for number, missing, look in places]
    for key in sorted(own, key=lambda key: key.place):
        if key.look != before:
            keys.append(key)
        before = key.look
        timeline = timeline if key.missing else visit(timeline, key.frame)
    return replace(timeline, keys=tuple(keys))


def _frames(session: object) -> Iterator[tuple[str, Mapping[str, object] | None]]:
    """Stem and settings of each frame; None for frames that were not visited."""
    match session:
        case {"frames": list(frames)}:
            for frame in frames:
                yield _frame(frame)
        case _:
            raise InputError("it is no session of a merger")


def _frame(frame: object) -> tuple[str, Mapping[str, object] | None]:
    match frame:
        case {"frame_info": {"filepath": (*_, str(name))}, "cfg": None | dict() as config}:
            if stem := PurePath(name).stem:
                return stem, config
    raise InputError("one of its frames has no name or no settings")


def _look(config: Mapping[str, object], where: str, problems: list[str]) -> Look:
    """The settings as a look. What no row allows gets its default, and is added to `problems`."""
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(Look)):
        if name in config:
            try:
                values[name] = _value(_FIELDS[name], config[name])
            except ValueRefused as refused:
                problems.append(f"{where}: {name} {config[name]!r:.80} {refused}")
    return replace(Look(), **values)


def _value(kind: Kind, raw: object) -> Any:
    if isinstance(kind, Choice) and isinstance(raw, int):
        if not 0 <= raw < len(kind.values):
            raise ValueRefused(f"must be 0 to {len(kind.values) - 1}")
        return kind.values[raw]  # a choice's place is the number that DeepFaceLab gives it
    return kind.parse(raw)


def _listed(problems: Sequence[str]) -> tuple[str, ...]:
    more = len(problems) - NAMED_AT_MOST
    return (*problems[:NAMED_AT_MOST], *([f"and {more} more"] if more > 0 else []))


def _read_bounded(path: Path) -> bytes:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > LARGEST_BYTES:
            raise InputError(f"{size_bytes} bytes are more than any session has")
        return path.read_bytes()
    except OSError as error:
        raise InputError(error.strerror or str(error)) from error


def _unusable(path: Path, reason: str) -> InputError:
    return InputError(
        f"DeepFaceLab's merger session {path} cannot be used: {reason}", _REMEDY, code="bad-session"
    )
