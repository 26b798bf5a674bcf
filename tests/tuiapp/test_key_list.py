"""Which row of a list is highlighted when its rows change."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from tuiapp.widgets.key_list import KeyList, Row


class OneList(App[None]):
    def compose(self) -> ComposeResult:
        yield KeyList(id="list")


def rows(names: Sequence[str]) -> list[Row]:
    """A row for each name; a heading for "-"."""
    return [(None if name == "-" else name, Content(name)) for name in names]


@pytest.mark.parametrize(
    ("then", "highlighted"),
    [
        ("-axbcd", "b"),  # still there
        ("-acd", "c"),  # gone: what has come into its place
        ("-a", "a"),  # gone, and so is its place: the last
        ("-a-d", "a"),  # a heading has come into its place
        ("--d", "d"),
    ],
)
async def test_the_highlight_stays_where_it_was_when_rows_go(then: str, highlighted: str) -> None:
    async with OneList().run_test() as pilot:
        shown = pilot.app.query_one(KeyList)
        shown.show_rows(rows("-abcd"))
        shown.highlighted = 2
        shown.show_rows(rows(then))
        assert shown.highlighted_option is not None
        assert shown.highlighted_option.id == highlighted
