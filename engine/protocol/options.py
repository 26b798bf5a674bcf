"""Options: one row describes the flag, the form field, the check, the saved value and the docs.

An `Option` names a `Kind`; a kind knows how to turn text (from a shell or a form) or a JSON value
into the option's value, and how to say its range. Values out of range are refused with the range in
the message, never clamped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from engine.protocol.errors import UsageError


class Life(StrEnum):
    """When an option may be set."""

    CREATION = "creation"  # once, when the model is made
    START = "start"  # at any start of the stage
    RUNNING = "running"  # also while the stage runs


class ValueRefused(ValueError):
    """A value that does not fit its kind; the text says what is allowed."""


@dataclass(frozen=True)
class Integer:
    """A whole number in `minimum..maximum`, in steps of `step` from `minimum`."""

    minimum: int
    maximum: int
    step: int = 1
    name: ClassVar[str] = "integer"

    def parse(self, raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int | str):
            raise ValueRefused(f"expected a whole number ({self.range_text()})")
        try:
            value = int(raw)
        except ValueError:
            raise ValueRefused(f"expected a whole number ({self.range_text()})") from None
        if not self.minimum <= value <= self.maximum:
            raise ValueRefused(f"must be {self.range_text()}")
        if (value - self.minimum) % self.step:
            raise ValueRefused(f"must be {self.range_text()}")
        return value

    def range_text(self) -> str:
        steps = f", in steps of {self.step}" if self.step != 1 else ""
        return f"{self.minimum} to {self.maximum}{steps}"


@dataclass(frozen=True)
class Number:
    """A real number in `minimum..maximum`; `step` is what one key press changes in the app."""

    minimum: float
    maximum: float
    step: float = 0.1
    name: ClassVar[str] = "number"

    def parse(self, raw: object) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise ValueRefused(f"expected a number ({self.range_text()})")
        try:
            value = float(raw)
        except ValueError:
            raise ValueRefused(f"expected a number ({self.range_text()})") from None
        if not math.isfinite(value) or not self.minimum <= value <= self.maximum:
            raise ValueRefused(f"must be {self.range_text()}")
        return value

    def range_text(self) -> str:
        return f"{self.minimum:g} to {self.maximum:g}"


@dataclass(frozen=True)
class Choice:
    """One of `choices`: pairs of value and explanation."""

    choices: tuple[tuple[str, str], ...]
    name: ClassVar[str] = "choice"

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(value for value, _ in self.choices)

    def parse(self, raw: object) -> str:
        if not isinstance(raw, str) or raw not in self.values:
            raise ValueRefused(f"must be one of {self.range_text()}")
        return raw

    def range_text(self) -> str:
        return ", ".join(self.values)


_TRUE = frozenset({"yes", "y", "true", "on", "1"})
_FALSE = frozenset({"no", "n", "false", "off", "0"})


@dataclass(frozen=True)
class Flag:
    """Yes or no. On the command line `--name` means yes, `--no-name` no."""

    name: ClassVar[str] = "flag"

    def parse(self, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, str) and raw.lower() in _TRUE | _FALSE:
            return raw.lower() in _TRUE
        raise ValueRefused("must be yes or no")

    def range_text(self) -> str:
        return "yes or no"


@dataclass(frozen=True)
class Text:
    """A short text that matches `pattern` as a whole; `rule` says the pattern in words."""

    pattern: str = r".{0,200}"
    rule: str = "at most 200 characters"
    name: ClassVar[str] = "text"

    def parse(self, raw: object) -> str:
        if not isinstance(raw, str) or not re.fullmatch(self.pattern, raw):
            raise ValueRefused(f"must be {self.rule}")
        return raw

    def range_text(self) -> str:
        return self.rule


@dataclass(frozen=True)
class FilePath:
    """A path of a file or folder, as text; '' means not given. Relative paths are resolved by
    whoever asks (shell: against the current folder)."""

    name: ClassVar[str] = "path"

    def parse(self, raw: object) -> str:
        if isinstance(raw, Path):
            return str(raw)
        if not isinstance(raw, str) or "\0" in raw:
            raise ValueRefused("must be a path")
        return raw

    def range_text(self) -> str:
        return "a path"


@dataclass(frozen=True)
class TimeCode:
    """A position in a video in seconds: `SECONDS`, `MM:SS.mmm` or `HH:MM:SS.mmm`."""

    name: ClassVar[str] = "timecode"

    def parse(self, raw: object) -> float:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            seconds = float(raw)
        elif isinstance(raw, str) and re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", raw):
            seconds = 0.0
            for part in raw.split(":"):
                seconds = seconds * 60 + float(part)
        else:
            raise ValueRefused(f"must be {self.range_text()}")
        if not 0 <= seconds < 1e6:
            raise ValueRefused(f"must be {self.range_text()}")
        return seconds

    def range_text(self) -> str:
        return "a time such as 12.5, 01:30 or 00:01:30.250"


Kind = Integer | Number | Choice | Flag | Text | FilePath | TimeCode


@dataclass(frozen=True)
class When:
    """An option applies when another option has one of `values`: `When("format", ("jpg",))`."""

    option: str
    values: tuple[object, ...]

    def holds(self, values: Mapping[str, Any]) -> bool:
        return values.get(self.option) in self.values


@dataclass(frozen=True)
class Unless:
    """An option applies when another option has none of `values`: `Unless("gan_power", (0,))`."""

    option: str
    values: tuple[object, ...]

    def holds(self, values: Mapping[str, Any]) -> bool:
        return values.get(self.option) not in self.values


@dataclass(frozen=True)
class Option:
    """One row of a spec. `name` is snake_case; its flag is `--name-with-dashes`.

    derive: the default by the values of options before it, where it follows from them (`default`
    is then what it is if those stand at their defaults).
    kept: whether a model that is trained with it goes on with it; else it is for one run alone.
    """

    name: str
    label: str
    kind: Kind
    default: Any
    help: str
    unit: str = ""
    life: Life = Life.START
    applies: When | Unless | None = None
    advanced: bool = False
    aliases: tuple[str, ...] = field(default=())
    derive: Callable[[Mapping[str, Any]], Any] | None = None
    kept: bool = True

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def default_among(self, values: Mapping[str, Any]) -> Any:
        """The default, given the values of the options before this one."""
        return self.derive(values) if self.derive else self.default

    def parse(self, raw: object) -> Any:
        """The option's value from text or JSON. Raises `UsageError` naming option, value, range."""
        try:
            if isinstance(raw, str):
                raw.encode()
            return self.kind.parse(raw)
        except UnicodeEncodeError:
            raise UsageError(
                f"{self.flag} {raw!a}: is not UTF-8", "rename the file", code="option-value"
            ) from None
        except ValueRefused as refused:
            raise UsageError(
                f"{self.flag} {raw}: {refused}",
                f"give {self.flag} a value that is {self.kind.range_text()}",
                code="option-value",
            ) from None


def complete_values(options: tuple[Option, ...], given: Mapping[str, object]) -> dict[str, Any]:
    """All options' values: those given, checked, and defaults for the others.

    Raises `UsageError` for a name that no option has (with the nearest ones) and for bad values.
    """
    by_name = {option.name: option for option in options}
    for name in given:
        if name not in by_name:
            raise unknown_option(name, tuple(by_name))
    values: dict[str, Any] = {}
    for option in options:
        values[option.name] = (
            option.parse(given[option.name])
            if option.name in given
            else option.default_among(values)
        )
    return values


def unknown_option(name: str, known: tuple[str, ...]) -> UsageError:
    """The error for an option that does not exist, with near misses as the remedy."""
    from difflib import get_close_matches

    flags = ["--" + other.replace("_", "-") for other in known]
    wanted = "--" + name.replace("_", "-")
    near = get_close_matches(wanted, flags, n=3)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"known: {' '.join(flags) or 'none'}"
    return UsageError(f"unknown option {wanted}", remedy, code="unknown-option")
