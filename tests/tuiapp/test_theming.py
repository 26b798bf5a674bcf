from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from tuiapp.theming import DEFAULT_THEME, VARIABLE_DEFAULTS, load_themes, shipped_theme_folder

SHIPPED = load_themes([shipped_theme_folder()])
TEXT_COLOURS = ("foreground", "primary", "accent", "success", "warning", "error")


def contrast_ratio(one: Color, other: Color) -> float:
    def luminance(colour: Color) -> float:
        channels = [c / 255 for c in colour.rgb]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_shipped_themes_load_and_the_default_is_among_them() -> None:
    assert SHIPPED.problems == ()
    names = {theme.name for theme in SHIPPED.themes}
    assert {DEFAULT_THEME, "okabe-ito", "high-contrast"} <= names


@pytest.mark.parametrize("theme", SHIPPED.themes, ids=lambda theme: theme.name)
def test_every_shipped_theme_can_be_read(theme: Theme) -> None:
    wanted = 7.0 if theme.name == "high-contrast" else 4.5  # WCAG 2 AAA and AA for text
    for ground in ("background", "surface"):
        for name in TEXT_COLOURS:
            ratio = contrast_ratio(
                Color.parse(getattr(theme, name)), Color.parse(getattr(theme, ground))
            )
            assert ratio >= wanted, f"{name} on {ground}: {ratio:.1f}"


@pytest.mark.parametrize("theme", SHIPPED.themes, ids=lambda theme: theme.name)
def test_every_shipped_theme_gives_all_of_our_variables(theme: Theme) -> None:
    assert set(VARIABLE_DEFAULTS) <= set(theme.variables)


def test_a_users_theme_replaces_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "facewright"\nprimary = "#112233"\n')
    themes = load_themes([shipped_theme_folder(), tmp_path]).themes
    assert [t.primary for t in themes if t.name == "facewright"] == ["#112233"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("primary = '#fff'", "`name` is missing"),
        ("name = 'x'", "`primary` is missing"),
        ("name = 'x'\nprimary = 'blurple'", "primary = 'blurple' is not a colour"),
        ("name = 'x'\nprimary = '#fff'\nprimray = '#fff'", "unknown key 'primray'"),
        ("name = 'x'\nprimary = '#fff'\n[variables]\nloss-src = 'no'", "loss-src = 'no'"),
        ("name = ", "broken.toml"),
    ],
)
def test_a_broken_theme_file_is_told_and_the_others_load(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "broken.toml").write_text(text)
    loaded = load_themes([shipped_theme_folder(), tmp_path])
    assert told in " ".join(loaded.problems)
    assert len(loaded.themes) == len(SHIPPED.themes)
