"""The user's settings: one TOML file, read at the start, where only single keys are changed.

theme = "facewright"
graphics = "auto"        # auto kitty iterm2 sixel quadrant half off
[keys]
form-start = "f5,ctrl+r"
[signing]                # a studio's own certificate: see engine/provenance/settings.py
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine.protocol.files import write_atomically
from engine.protocol.user_folders import config_folder
from tuiapp.keymap import KEYS_BY_ID

GRAPHICS_CHOICES = ("auto", "kitty", "iterm2", "sixel", "quadrant", "half", "off")
MAX_SETTINGS_BYTES = 256 * 1024


@dataclass(frozen=True)
class Settings:
    """What the settings file says, with defaults; `problems` in words what could not be used."""

    path: Path
    theme: str | None = None
    graphics: str = "auto"
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def user_theme_folder() -> Path:
    return config_folder() / "themes"


def load_settings(path: Path | None = None) -> Settings:
    """The settings in `path` (default: the user's file). A missing file means defaults; a broken
    one too, with the problem told."""
    path = path or config_folder() / "settings.toml"
    try:
        data = _read(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Settings(path, problems=(f"{path}: {error}; using defaults",))
    problems: list[str] = []
    _report_unknown(data, problems)
    return Settings(
        path,
        theme=_text(data, "theme", None, problems),
        graphics=_graphics(data, problems),
        keys=_keys(data.get("keys", {}), problems),
        problems=tuple(problems),
    )


def remember(path: Path, key: str, value: str) -> None:
    """Set one top-level text key of the settings file; everything else in it stays as it is.

    Raises `InputError` if the file cannot be written."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    line = f"{key} = {json.dumps(value)}"
    head, tables = _split_at_first_table(text)
    pattern = re.compile(rf"^{re.escape(key)}\s*=.*$", re.MULTILINE)
    head, found = pattern.subn(lambda _: line, head, count=1)
    if not found:
        head = f"{line}\n{head}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (head + tables).encode())


def _split_at_first_table(text: str) -> tuple[str, str]:
    found = re.search(r"^\[", text, re.MULTILINE)
    at = found.start() if found else len(text)
    return text[:at], text[at:]


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    if path.stat().st_size > MAX_SETTINGS_BYTES:
        raise OSError(f"larger than {MAX_SETTINGS_BYTES} bytes")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _report_unknown(data: Mapping[str, Any], problems: list[str]) -> None:
    known = ("theme", "graphics", "keys", "signing")  # signing: engine.provenance reads it
    problems += [_unknown("setting", key, known) for key in data if key not in known]


def _text(data: Mapping[str, Any], key: str, default: str | None, bad: list[str]) -> str | None:
    value = data.get(key, default)
    if value is not None and not isinstance(value, str):
        bad.append(f"setting {key} = {value!r}: must be a text")
        return default
    return value


def _graphics(data: Mapping[str, Any], problems: list[str]) -> str:
    value = data.get("graphics", "auto")
    if value not in GRAPHICS_CHOICES:
        choices = ", ".join(GRAPHICS_CHOICES)
        problems.append(f"setting graphics = {value!r}: must be one of {choices}")
        return "auto"
    return str(value)


def _keys(table: object, problems: list[str]) -> dict[str, str]:
    if not isinstance(table, dict):
        problems.append("setting keys: must be a table [keys]")
        return {}
    chosen = {}
    for name, keys in table.items():
        if name not in KEYS_BY_ID:
            problems.append(_unknown("key id", name, tuple(KEYS_BY_ID)))
        elif not isinstance(keys, str) or not keys:
            problems.append(f'setting keys.{name}: must be a text such as "f5,ctrl+r"')
        else:
            chosen[name] = keys
    return chosen


def _unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"unknown {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
