"""A list that is also driven by j, k, g and G, and keeps its place when its rows change."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tuiapp.keymap import bindings

Row = tuple[str | None, Content]  # id (None: a heading that cannot be chosen) and what is shown


class KeyList(OptionList):
    """Rows with an id each; headings have none."""

    BINDINGS = bindings("list")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self._rows: list[Row] = []

    def show_rows(self, rows: list[Row]) -> None:
        """Show these rows; the highlighted one stays so if it is still there, else what has come
        into its place."""
        if rows == self._rows:
            return
        chosen = self.highlighted_option.id if self.highlighted_option else None
        place = self.highlighted or 0
        same_ids = [row[0] for row in rows] == [row[0] for row in self._rows]
        self._rows = rows
        if same_ids:
            for index, (_, content) in enumerate(rows):
                self.replace_option_prompt_at_index(index, content)
            return
        self.set_options(Option(content, id=id, disabled=id is None) for id, content in rows)
        ids = [row[0] for row in rows]
        if chosen is not None and chosen in ids:
            self.highlighted = ids.index(chosen)
        elif any(ids):
            choosable = [n for n, id in enumerate(ids) if id is not None]
            self.highlighted = max((n for n in choosable if n <= place), default=choosable[0])

    def first_choice(self) -> None:
        """Highlight the first row that can be chosen, and show the list from its top."""
        self.highlighted = next((n for n, (id, _) in enumerate(self._rows) if id), None)
        self.scroll_home(animate=False)
