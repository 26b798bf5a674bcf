"""Keys that come in one piece, as over a slow connection, each mean what they mean after the one
before: Textual would hand "tab 6 4" to the field in which the tab was pressed."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

from textual import events
from textual.app import App, ReturnType
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input

# How often to look whether a key closed the screen whose widgets were to report on it.
_LOOK_EVERY_S = 0.05
# Other keys whose way cannot be followed to its end hold up no longer.
_PATIENCE_S = 10.0
# A key becomes an action, that a message of the widget to itself, that one to its parent, which
# moves the focus: so it is when one takes an entry of a choice's list.
_ROUNDS = 3


class TypingOrderApp(App[ReturnType]):
    """Takes up a key when the one before was carried out: handled or handed on by all that may take
    it, with the focus where it moved it. Keys that repeat and text wait for nothing."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._typed_keys: deque[events.Key | events.Paste] = deque()
        self._key_taken: events.Key | events.Paste | None = None
        self._key_turn = 0

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self._typed_keys.append(event)
            await self._take_keys()
        else:
            await super().on_event(event)

    async def _take_keys(self) -> None:
        while self._typed_keys and not self._must_wait(self._typed_keys[0]):
            await self._take_key(self._typed_keys.popleft())
        if self._typed_keys:
            self._end_lost_key(self._key_turn, self.screen, _PATIENCE_S)

    def _must_wait(self, event: events.Key | events.Paste) -> bool:
        """Whether what the last key does may change where this one goes."""
        last = self._key_taken
        if not isinstance(last, events.Key):
            return last is not None
        repeats = isinstance(event, events.Key) and event.key == last.key
        return not repeats and not (last.is_printable and isinstance(self.focused, Input))

    async def _take_key(self, event: events.Key | events.Paste) -> None:
        self._key_taken = event
        self._key_turn += 1
        way: list[MessagePump] = [*(self.focused or self.screen).ancestors_with_self]
        await super().on_event(event)
        self._follow_key(self._key_turn, _ROUNDS * way)

    def _follow_key(self, turn: int, way: list[MessagePump]) -> None:
        """Go through the queues that the key goes through, behind it."""
        while way:
            node, *way = way
            if node.call_later(self._follow_key, turn, way):
                return
        self.call_later(self._end_key, turn)

    def _end_lost_key(self, turn: int, screen: Screen[Any], left_s: float) -> None:
        if turn != self._key_turn:
            return
        if self.screen is not screen or left_s <= 0:
            self.call_later(self._end_key, turn)
        else:
            again = partial(self._end_lost_key, turn, screen, left_s - _LOOK_EVERY_S)
            self.set_timer(_LOOK_EVERY_S, again)

    async def _end_key(self, turn: int) -> None:
        if turn == self._key_turn:
            self._key_taken = None
            await self._take_keys()
