"""Figures as people read them: durations, sizes, rates, losses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.protocol.options import Choice, Flag, Life, Option, Unless

UNKNOWN = "-"
EMPTY: Mapping[str, Any] = MappingProxyType({})
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]P_^X].*?(\x07|\x1b\\|$)|.|$)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BYTE_UNITS = ("B", "KB", "MB", "GB", "TB")


def plain_text(text: str) -> str:
    """One line that does nothing to a terminal: no escape sequences, no control characters, nothing
    that is no text. For all texts that come from files, file names among them."""
    without_escapes = _ESCAPES.sub("", " ".join(text.expandtabs(4).splitlines()))
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", without_escapes)


def duration_text(seconds: float | None) -> str:
    """`48s`, `3m05s`, `2h05m`, `3d04h`; `-` if not known."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def bytes_text(count: int) -> str:
    """`512 B`, `1.4 MB`: decimal units, as file listings of drives and clouds give them."""
    size = float(count)
    for unit in _BYTE_UNITS:
        if size < 999.5 or unit == _BYTE_UNITS[-1]:
            break
        size /= 1000
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"


def count_text(count: int, noun: str = "") -> str:
    """`12 345`, or with a noun `1 face`, `12 345 faces`."""
    grouped = f"{count:,}".replace(",", " ")
    if not noun:
        return grouped
    return f"{grouped} {noun}" if count == 1 else f"{grouped} {noun}s"


def rate_text(rate: float | None, unit: str) -> str:
    """`3.2 it/s` or, for slow work, `12.5 s/it`; `-` if not known."""
    if not rate:
        return UNKNOWN
    short = {"iterations": "it", "frames": "frames", "faces": "faces"}.get(unit, unit)
    if rate >= 1:
        return f"{rate:.1f} {short}/s"
    one = short[:-1] if short.endswith("s") else short
    return f"{1 / rate:.1f} s/{one}"


def losses_text(names: tuple[str, ...], values: tuple[float, ...]) -> str:
    """`src 0.4321  dst 0.3210`."""
    return "  ".join(f"{name} {value:.4f}" for name, value in zip(names, values, strict=False))


def fact_text(value: object) -> str:
    """A fact of a result: numbers short, None as not known."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def value_text(value: object) -> str:
    """An option's value on one line; `none` for an empty text."""
    return plain_text(fact_text(value)) or "none"


def setting_text(value: object) -> str:
    """An option's value as it is typed at a command line."""
    return fact_text(value) if isinstance(value, bool) else str(value)


def life_text(option: Option) -> str:
    """When an option may be set, as a sentence; "" for at any start."""
    return {
        Life.CREATION: "Fixed once the model is made.",
        Life.RUNNING: "Can be changed while it runs.",
    }.get(option.life, "")


def condition_text(option: Option) -> str:
    """Which other option makes this one count, as a sentence; "" if it always does."""
    if option.applies is None:
        return ""
    flag = "--" + option.applies.option.replace("_", "-")
    values = " or ".join(setting_text(value) for value in option.applies.values if value != "")
    other = "other than " if values and isinstance(option.applies, Unless) else ""
    return f"Only with {flag} {other}{values}".rstrip() + "."


def command_line(
    stage_id: str,
    options: tuple[Option, ...],
    values: Mapping[str, Any],
    workspace: Path,
    stored: Mapping[str, Any] = EMPTY,
) -> str:
    """The shell command that does the same: only options that differ from their defaults, or from
    `stored`, what the model was last trained with. Relative workspaces stay relative."""
    words = ["facewright", "run", stage_id, "-w", str(workspace)]
    before: dict[str, Any] = {}
    for option in options:
        default = stored.get(option.name, option.default_among(before))
        before[option.name] = values.get(option.name, default)
        if before[option.name] != default:
            words += flag_words(option, before[option.name])
    return shlex.join(words)


def flag_words(option: Option, value: Any) -> list[str]:
    """An option's value as words of a command line."""
    if isinstance(option.kind, Flag):
        return [option.flag if value else option.flag.replace("--", "--no-", 1)]
    if not isinstance(option.kind, Choice) and str(value).startswith("-"):
        return [f"{option.flag}={value}"]
    return [option.flag, str(value)]
