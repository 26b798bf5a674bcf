"""Two models' options side by side."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from engine import catalog
from engine.protocol.model_cards import ModelCard
from engine.protocol.model_compare import compare_options
from tuiapp.bridge.model_words import class_title, compared_line, compared_widths
from tuiapp.bridge.wording import count_text, plain_text
from tuiapp.keymap import bindings
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.models.acting import spec_of
from tuiapp.widgets.key_list import KeyList, Row


class CompareScreen(FramedScreen):
    """Draws the options in which two models differ; on a key all of them."""

    CSS_PATH = "models.tcss"
    BINDINGS = bindings("comparison")
    context = "comparison"
    place = "Models > two compared"
    AUTO_FOCUS = "#rows"

    def __init__(self, first: ModelCard, second: ModelCard) -> None:
        super().__init__()
        self._cards = (first, second)
        specs = [spec for card in self._cards if (spec := spec_of(card.model_class))]
        of_classes = [row for spec in specs for row in spec.options]
        rows = dict.fromkeys([*of_classes, *catalog.stage("train").options])
        self._compared = compare_options(first.options, second.options, rows)
        self._shows_all = False

    def body(self) -> ComposeResult:
        yield Static("", id="titles", markup=False)
        yield KeyList(id="rows")

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        """Draw the rows that are wanted."""
        first, second = map(_title, self._cards)
        widths = compared_widths(self._compared, first)
        titles = Content.assemble(
            " " * widths[0], (first.ljust(widths[1]), "bold"), (second, "bold")
        )
        self.query_one("#titles", Static).update(titles)
        differing = [row for row in self._compared if row.differs]
        wanted = self._compared if self._shows_all else differing
        rows: list[Row] = [(row.name, compared_line(row, widths)) for row in wanted]
        if not rows:
            rows.append((None, Content.styled("all options are the same", "$success")))
        same = len(self._compared) - len(differing)
        rows_list = self.query_one("#rows", KeyList)
        rows_list.show_rows(rows)
        rows_list.border_title = (
            f"{count_text(len(differing), 'difference')}, {count_text(same)} the same"
        )

    def action_all(self) -> None:
        self._shows_all = not self._shows_all
        self.show()


def _title(card: ModelCard) -> str:
    return f"{plain_text(card.name)} ({class_title(card.model_class)})"
