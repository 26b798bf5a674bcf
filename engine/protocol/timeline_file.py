"""The timeline's file: TOML that people can read, change and compare.

`.facewright/merge/NAME_CLASS.timeline.toml`. The default look is written whole, so that no later
version's defaults change it; keys and named looks name only what differs from it, so that a change
of one key is a change of one block. Frames are named, not numbered: keys of frames that are not
there now are kept for when they are back.
"""

from __future__ import annotations

import json
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.look import Look, changed_look
from engine.protocol.look_options import LOOK_FIELDS
from engine.protocol.options import Choice, Kind, Text, ValueRefused
from engine.protocol.timeline import ALL_FACES, GOES_ON, HOLD, Key, Timeline
from engine.protocol.timeline_edits import NAME, visit
from engine.protocol.workspace import Workspace, make_folder

VERSION = 1
LARGEST_BYTES = 1 << 24  # some 100,000 keys
TRACK = Text(r"[a-z]{0,4}", "one to four small letters")
_HEAD = """\
# The looks of merged frames, as set in the merger. Written anew at every change there.
# A key says what its frame has otherwise than [default], and how it goes on to the next key of
# its track: "hold", "linear" or "smooth". No track: all faces.
"""
_GOES_ON = Choice(tuple((goes_on, "") for goes_on in GOES_ON))
_FIELDS = {option.name: option.kind for option in LOOK_FIELDS}


def timeline_path(workspace: Workspace, model: str, model_class: str) -> Path:
    """Where the timeline of a model's merging lies."""
    return workspace.state / "merge" / f"{model}_{model_class}.timeline.toml"


def read_timeline(path: Path, stems: Sequence[str]) -> Timeline | None:
    """The timeline over the frames named `stems` (in order); None if there is no file.

    Raises `InputError` naming the frame and the field for a file that cannot be used; nobody should
    write another in its place then.
    """
    if not path.is_file():
        return None
    try:
        return _Reading(stems).timeline(tomllib.loads(_read_bounded(path).decode()))
    except ValueRefused as refused:
        raise _unusable(path, str(refused)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(path, f"it is not TOML: {error}") from error


def write_timeline(
    path: Path, timeline: Timeline, stems: Sequence[str], *, durable: bool = True
) -> None:
    """Write the timeline over the frames named `stems` (in order) in one step. Raises `InputError`
    when the disk is full or the folder not writable; the file is then as it was. Without `durable`
    it survives a kill of this process, not a power cut."""
    make_folder(path.parent)
    write_atomically(path, timeline_text(timeline, stems).encode(), durable=durable)


def timeline_text(timeline: Timeline, stems: Sequence[str]) -> str:
    """What the file holds."""
    parts = [
        f"{_HEAD}version = {VERSION}\n",
        _list("cuts", [_quoted(stem) for stem in _cut_stems(timeline, stems)]),
        _list("seen", _seen(timeline, stems)),
        "\n[default]\n" + _fields(vars(timeline.default)),
    ]
    for name, look in timeline.names:
        parts.append(f"\n[named.{_quoted(name)}]\n" + _fields(_difference(look, timeline.default)))
    named = ((key.missing or stems[key.frame], key) for key in timeline.keys)
    for stem, key in sorted(named, key=lambda item: (_place(item[0]), item[1].track)):
        parts.append(_key_text(key, stem, timeline.default))
    return "".join(parts)


def _key_text(key: Key, stem: str, default: Look) -> str:
    track = f"track = {_quoted(key.track)}\n" if key.track != ALL_FACES else ""
    goes_on = f"goes_on = {_quoted(key.goes_on)}\n" if key.goes_on != HOLD else ""
    values = _fields(_difference(key.look, default))
    return f"\n[[key]]\nframe = {_quoted(stem)}\n{track}{goes_on}{values}"


def _fields(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_literal(value)}\n" for name, value in values.items())


def _difference(look: Look, default: Look) -> dict[str, Any]:
    # vars, as asdict copies deeply: thousands of keys are written while a key is held.
    usual = vars(default)
    return {name: value for name, value in vars(look).items() if value != usual[name]}


def _list(name: str, items: Sequence[str]) -> str:
    lines = "".join(f"  {item},\n" for item in items)
    return f"{name} = [\n{lines}]\n" if items else ""


def _seen(timeline: Timeline, stems: Sequence[str]) -> list[str]:
    return [
        f"[{_quoted(stems[first])}, {_quoted(stems[end - 1])}]" for first, end in timeline.visited
    ]


def _cut_stems(timeline: Timeline, stems: Sequence[str]) -> list[str]:
    missing = dict(timeline.missing_cuts)
    here = (stems[cut] for cut in timeline.cuts if cut < len(stems) and cut not in missing)
    return sorted((*here, *missing.values()), key=_place)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for this control character, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _place(stem: str) -> str:
    """Stems sort as their files do: before the dot of the suffix."""
    return f"{stem}."


class FrameNumbers:
    """The numbers of frames by their stems, given in order."""

    def __init__(self, stems: Sequence[str]) -> None:
        self._places = [_place(stem) for stem in stems]

    def of(self, stem: str) -> tuple[int, str]:
        """The frame's number and ""; if it is not there, the number of the next frame that is (or
        their count) and its stem."""
        number = bisect_left(self._places, _place(stem))
        is_here = number < len(self._places) and self._places[number] == _place(stem)
        return number, "" if is_here else stem


class _Reading:
    """Turns what a file holds into a timeline. Methods raise `ValueRefused` with the whole
    reason."""

    def __init__(self, stems: Sequence[str]) -> None:
        self.numbers = FrameNumbers(stems)

    def timeline(self, data: dict[str, Any]) -> Timeline:
        if data.get("version") != VERSION:
            raise ValueRefused(f"its version is {data.get('version')!r:.80}, known is {VERSION}")
        for name in data.keys() - {"version", "cuts", "seen", "default", "named", "key"}:
            raise ValueRefused(f"{name!r:.80} is nothing that a timeline has")
        default = _look(_table(data.get("default", {}), "default"), Look(), "default")
        timeline = Timeline(
            keys=self.keys(_array(data.get("key", []), "key"), default),
            default=default,
            names=_names(_table(data.get("named", {}), "named"), default),
        )
        timeline = self.with_cuts(timeline, _array(data.get("cuts", []), "cuts"))
        return self.with_seen(timeline, _array(data.get("seen", []), "seen"))

    def keys(self, blocks: list[object], default: Look) -> tuple[Key, ...]:
        keys: dict[tuple[str, int, bool, str], Key] = {}
        for block in blocks:
            key, where = self.key(dict(_table(block, "key")), default)
            if key.place in keys:
                raise ValueRefused(f"{where}: there are two of it")
            keys[key.place] = key
        return tuple(keys[place] for place in sorted(keys))

    def key(self, block: dict[str, Any], default: Look) -> tuple[Key, str]:
        frame, missing = self.frame(block.get("frame"), "key")
        where = f"key at frame {block.pop('frame')}"
        track = _parsed(TRACK, block.pop("track", ALL_FACES), f"{where}: track")
        where += f", track {track}" if track else ""
        goes_on = _parsed(_GOES_ON, block.pop("goes_on", HOLD), f"{where}: goes_on")
        return Key(frame, track, _look(block, default, where), goes_on, missing), where

    def frame(self, stem: object, where: str) -> tuple[int, str]:
        if not isinstance(stem, str) or not stem:
            raise ValueRefused(f"{where}: {stem!r:.80} is not the name of a frame")
        return self.numbers.of(stem)

    def with_cuts(self, timeline: Timeline, stems: list[object]) -> Timeline:
        found = [self.frame(stem, "cuts") for stem in stems]
        cuts = tuple(sorted({frame for frame, _ in found if frame}))
        missing = tuple((frame, stem) for frame, stem in found if stem)
        return replace(timeline, cuts=cuts, missing_cuts=missing)

    def with_seen(self, timeline: Timeline, ranges: list[object]) -> Timeline:
        for one in ranges:
            if not isinstance(one, list) or len(one) != 2:
                raise ValueRefused(f"seen: {one!r:.80} is not a pair of frames")
            first, _ = self.frame(one[0], "seen")
            last, missing = self.frame(one[1], "seen")
            end = last if missing else last + 1
            timeline = visit(timeline, first, end) if first < end else timeline
        return timeline


def _names(named: dict[str, Any], default: Look) -> tuple[tuple[str, Look], ...]:
    looks = {
        _parsed(NAME, name, "named"): _look(_table(values, "named"), default, f"named {name!r}")
        for name, values in named.items()
    }
    return tuple(sorted(looks.items(), key=lambda item: item[0]))


def _look(values: Mapping[str, object], default: Look, where: str) -> Look:
    for name, raw in values.items():
        if name not in _FIELDS:
            raise ValueRefused(f"{where}: {name!r:.80} is nothing that a look has")
        _parsed(_FIELDS[name], raw, f"{where}: {name}")
    return changed_look(default, values)


def _parsed(kind: Kind, raw: object, where: str) -> Any:
    try:
        return kind.parse(raw)
    except ValueRefused as refused:
        raise ValueRefused(f"{where} {raw!r:.80} {refused}") from None


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueRefused(f"{name} must be a table, not {value!r:.80}")
    return value


def _array(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueRefused(f"{name} must be a list, not {value!r:.80}")
    return value


def _read_bounded(path: Path) -> bytes:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > LARGEST_BYTES:
            raise _unusable(path, f"{size_bytes} bytes are more than any timeline has")
        return path.read_bytes()
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _unusable(path: Path, reason: str) -> InputError:
    return InputError(
        f"the timeline {path} cannot be used: {reason}",
        "correct it in an editor, or move it away to begin anew",
        code="bad-timeline",
    )
