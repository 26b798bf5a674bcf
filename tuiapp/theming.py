"""Themes from TOML files: the ones shipped with the program, and the user's own.

A theme file has `name`, optionally `label` and `dark`, Textual's colour names, and a table
`variables` for single style variables. Facewright's own variables are `loss-src`, `loss-dst`,
`mask-include`, `mask-exclude`, `landmark` and `grid`; each has a default, so that any theme works.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

DEFAULT_THEME = "facewright"
# For themes that do not define them, Textual's own included. Okabe-Ito: safe in every theme.
VARIABLE_DEFAULTS = {
    "loss-src": "#e69f00",
    "loss-dst": "#56b4e9",
    "mask-include": "#009e73",
    "mask-exclude": "#d55e00",
    "landmark": "#f0e442",
    "grid": "#808080",
}
COLOUR_NAMES = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
    "success",
    "warning",
    "error",
)
_OTHER_NAMES = frozenset({"name", "label", "dark", "variables"})
MAX_THEME_BYTES = 64 * 1024


@dataclass(frozen=True)
class LoadedThemes:
    """Themes by rising precedence, and in words what was wrong with files that gave none."""

    themes: tuple[Theme, ...]
    labels: dict[str, str]
    problems: tuple[str, ...]


class ThemeFileError(ValueError):
    """A theme file that cannot be used; the text says why."""


def shipped_theme_folder() -> Path:
    """The installed package's themes, or the checkout's."""
    installed = Path(__file__).parent / "_themes"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "themes"


def load_themes(folders: Iterable[Path]) -> LoadedThemes:
    """The themes of all `*.toml` in `folders`; a later folder's theme replaces one of that name."""
    themes: dict[str, Theme] = {}
    labels: dict[str, str] = {}
    problems: list[str] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        try:
            theme, label = read_theme(path)
        except ThemeFileError as error:
            problems.append(f"theme {path.name}: {error}")
            continue
        themes[theme.name], labels[theme.name] = theme, label
    return LoadedThemes(tuple(themes.values()), labels, tuple(problems))


def read_theme(path: Path) -> tuple[Theme, str]:
    """The theme in `path` and its label. Raises `ThemeFileError`."""
    data = _read_toml(path)
    name = data.get("name")
    if not isinstance(name, str) or not name:
        raise ThemeFileError("`name` is missing")
    if unknown := set(data) - set(COLOUR_NAMES) - _OTHER_NAMES:
        raise ThemeFileError(f"unknown key {sorted(unknown)[0]!r}")
    if "primary" not in data:
        raise ThemeFileError("`primary` is missing")
    colours: dict[str, Any] = {key: _colour(key, data[key]) for key in COLOUR_NAMES if key in data}
    theme = Theme(
        name=name,
        dark=bool(data.get("dark", True)),
        variables=_variables(data.get("variables", {})),
        **colours,
    )
    return theme, str(data.get("label", name))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_THEME_BYTES:
            raise ThemeFileError(f"larger than {MAX_THEME_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ThemeFileError(str(error)) from None


def _colour(key: str, value: object) -> str:
    try:
        return Color.parse(str(value)).hex
    except ColorParseError:
        raise ThemeFileError(f"{key} = {value!r} is not a colour (use #rrggbb)") from None


def _variables(table: object) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ThemeFileError("`variables` must be a table")
    own = {key: _colour(key, value) for key, value in table.items() if key in VARIABLE_DEFAULTS}
    return {key: str(value) for key, value in table.items()} | own
