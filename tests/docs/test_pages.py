"""The tables in `.docs` say what the catalog says."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import catalog
from tests.docs.pages import COMMAND, options_page, pages, stages_page


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_a_page_made_from_the_catalog_is_not_stale(path: Path) -> None:
    written = path.read_text(encoding="utf-8") if path.is_file() else ""
    assert written == pages()[path], f"{path.name} is stale: run `{COMMAND}` and commit it"


def test_every_option_of_every_stage_has_its_line() -> None:
    for spec in catalog.STAGES:
        section = stages_page().split(f"\n## {spec.id}\n")[1].split("\n## ")[0]
        for option in (*spec.options, *spec.morph_options):
            assert f"| `{option.flag}`<br>" in section


def test_every_option_of_every_model_class_has_its_line() -> None:
    for spec in catalog.MODELS:
        section = options_page().split(f"\n## {spec.id}\n")[1].split("\n## ")[0]
        for option in spec.options:
            assert f"| `{option.flag}`<br>" in section


def test_a_line_of_a_table_has_its_five_cells_whatever_the_help_says() -> None:
    lines = [line for line in stages_page().splitlines() if line.startswith("| `--")]
    assert all(line.replace("\\|", "").count("|") == 6 for line in lines)
