"""All keys and what they do, from the key table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuiapp.keymap import CONTEXTS, KEYS, Key, bindings, keys_text
from tuiapp.screens.framed import FramedScreen

INTRO = (
    "Start a stage from Home: its form says what each option does and refuses what does not fit."
    " A run goes on when you leave its screen, the program, or the connection; come back and it is"
    " there. ^p opens the command palette: every stage, run, theme and screen by name."
)


class HelpScreen(FramedScreen):
    """The help, beginning with the keys of the screen one came from (`context`)."""

    CSS_PATH = "help.tcss"
    BINDINGS = bindings("help")
    AUTO_FOCUS = "#keys"
    place = "Help"

    def __init__(self, context: str, moved: Mapping[str, str], settings_path: str) -> None:
        super().__init__()
        self._first_context = context
        self._moved = moved
        self._settings_path = settings_path

    def body(self) -> ComposeResult:
        with VerticalScroll(id="keys"):
            yield Static(INTRO, classes="intro", markup=False)
            for context in sorted(CONTEXTS, key=lambda name: name != self._first_context):
                yield Static(self._section(context), classes="section", markup=False)
            yield Static(self._rebinding(), classes="section", markup=False)

    def action_down(self) -> None:
        self.query_one("#keys").scroll_down(animate=False)

    def action_up(self) -> None:
        self.query_one("#keys").scroll_up(animate=False)

    def _section(self, context: str) -> Content:
        rows = [self._as_bound(key) for key in KEYS if key.context == context]
        lines: list[Content | str] = [Content.styled(CONTEXTS[context], "bold $primary")]
        lines += [help_line(key) for key in rows]
        return Content("\n").join(lines)

    def _as_bound(self, key: Key) -> Key:
        return replace(key, keys=self._moved.get(key.id, key.keys))

    def _rebinding(self) -> Content:
        example = '    [keys]\n    form-start = "f9"'
        return Content.assemble(
            ("Other keys", "bold $primary"),
            f"\nIn {self._settings_path} a table gives an action (the name on the right) other"
            f" keys:\n{example}",
        )


def help_line(key: Key) -> Content:
    """Keys, sentence, and the name that settings know the action by."""
    return Content.assemble(
        ("  " + keys_text(key.keys).ljust(16), "$accent"), key.help, (f"  {key.id}", "dim")
    )
