"""A row of the key table."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """One row: `id` names it in settings, `context` is where it works, `keys` are Textual's key
    names (comma-separated), `action` the method, `label` the footer's word, `help` a sentence.
    `shown`: in the footer, where room is short."""

    id: str
    context: str
    keys: str
    action: str
    label: str
    help: str
    shown: bool = True
    display: str | None = None

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.shown,
            key_display=self.display,
            tooltip=self.help,
            id=self.id,
        )


def help_key(context: str) -> Key:
    """A second key for the help, where it does not write a question mark."""
    words = "Show all keys and what they do."
    return Key(f"{context}-help", context, "question_mark", "app.help", "Help", words, shown=False)
