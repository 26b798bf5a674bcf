from __future__ import annotations

from pathlib import Path

import pytest

from tuiapp.settings import load_settings, remember


def settings_with(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_without_a_file_there_are_defaults_and_no_problems(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "none.toml")
    assert (settings.theme, settings.graphics, dict(settings.keys)) == (None, "auto", {})
    assert settings.problems == ()


def test_theme_graphics_and_keys_are_read(tmp_path: Path) -> None:
    path = settings_with(
        tmp_path, 'theme = "okabe-ito"\ngraphics = "sixel"\n[keys]\nform-start = "f9"\n'
    )
    settings = load_settings(path)
    assert (settings.theme, settings.graphics) == ("okabe-ito", "sixel")
    assert dict(settings.keys) == {"form-start": "f9"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("theme = \n", "settings.toml"),
        ("theem = 'x'\n", "did you mean 'theme'"),
        ("graphics = 'vga'\n", "must be one of auto, kitty"),
        ("[keys]\nform-strat = 'f9'\n", "did you mean 'form-start'"),
        ("[keys]\nform-start = 9\n", "must be a text"),
        ("theme = 3\n", "must be a text"),
    ],
)
def test_what_cannot_be_used_is_told_and_the_rest_goes_on(
    tmp_path: Path, text: str, told: str
) -> None:
    settings = load_settings(settings_with(tmp_path, text))
    assert told in " ".join(settings.problems)
    assert settings.graphics == "auto"


def test_remembering_a_theme_changes_that_line_only(tmp_path: Path) -> None:
    path = settings_with(tmp_path, '# mine\ntheme = "a"\n[keys]\n# why\nquit = "f10"\n')
    remember(path, "theme", "b")
    assert path.read_text() == '# mine\ntheme = "b"\n[keys]\n# why\nquit = "f10"\n'


def test_remembering_adds_the_line_before_the_first_table(tmp_path: Path) -> None:
    path = settings_with(tmp_path, '[keys]\nquit = "f10"\n')
    remember(path, "theme", 'odd"name')
    assert load_settings(path).theme == 'odd"name'
    assert dict(load_settings(path).keys) == {"quit": "f10"}


def test_remembering_makes_file_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    remember(path, "theme", "b")
    assert load_settings(path).theme == "b"
