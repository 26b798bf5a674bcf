"""What the screens of all interactive sessions share: a lasting talk with the engine, wishes that
are seen at once and sent soon, a way out that leaves the session or ends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from engine.protocol.commands import Command, Stop
from engine.protocol.events import Ack, AnyEvent
from engine.runtime.client import Talk
from tuiapp.bridge.watch import RunWatch
from tuiapp.keymap import KEYS_BY_ID, keys_text
from tuiapp.screens.pick import LineScreen, PickScreen
from tuiapp.screens.watching import WatchingScreen

_LEAVE, _END = "leave", "end"


class Desk(Protocol):
    """What is known and wished of a session, without Textual.

    refusals: what was refused since they were taken; each has a `message` and a `remedy`."""

    refusals: list[Any]

    def greeting(self) -> Sequence[Command]:
        """What is sent first at a connection."""

    def heard(self, event: AnyEvent) -> None:
        """Take in what the session tells."""

    def take_outbox(self) -> Sequence[Command]:
        """What is to be sent now, in this order."""

    def go(self, place: int, /) -> None:
        """Show the frame or face of that number, from 0."""


@dataclass(frozen=True)
class Leaving:
    """The words of the way out: the question, what is known to be safe, what is said at the end of
    the session."""

    title: str
    text: str
    ended: str
    goes_on: str = "leave; the session goes on"


class SessionScreen(WatchingScreen):
    """Draws a session; several may draw the same one. Subclasses give `redraw` and `leaving`.

    send_every_s: commands go out at once, but no more often than this: of what is wished in
    between, the desk keeps what counts.
    """

    send_every_s: ClassVar[float] = 0.0
    leaving: ClassVar[Leaving]

    def __init__(self, watch: RunWatch, desk: Desk) -> None:
        super().__init__(watch)
        self.desk = desk
        self._talk = Talk(self.folder, desk.greeting)
        self._sent_at = float("-inf")
        self._send_is_due = False
        self._painted = -1

    def redraw(self) -> None:
        """Bring all that is seen up to date."""
        raise NotImplementedError

    def show_told(self, event: AnyEvent) -> None:
        """Show what the session tells beyond what `redraw` takes from the desk."""

    def fit(self) -> None:
        """Have pictures made for the room that there is now."""

    def run_changed(self) -> None:
        """Take in what is new of the run."""
        self.paint_state()

    # What the session tells

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if self.is_left:
            return
        self.fit()
        self.run_worker(self._hear(), group="hear")

    async def _hear(self) -> None:
        """What the session tells, as it comes: the screen's own timer would be too slow. The answer
        to the last word comes when the screen has gone."""
        async for event in self._talk.events():
            if self.is_left:
                return
            self._take(event)

    def _take(self, event: AnyEvent) -> None:
        """Take in what the session tells, and send what waited for it."""
        self.desk.heard(event)
        self.show_told(event)
        if isinstance(event, Ack) and event.error:
            self.workbench.say(event.error, severity="error")
        self._wished()

    # Drawing

    def paint(self) -> None:
        self.fit()
        if self.run_watch.version != self._painted:
            self._painted = self.run_watch.version
            self.run_changed()
        self.redraw()

    def on_resize(self) -> None:
        self.call_after_refresh(self.fit)

    def _keys_of(self, name: str) -> str:
        """The first key of that name of this screen, as it is bound."""
        key = KEYS_BY_ID[f"{self.context}-{name}"]
        bound = self.workbench.settings.keys.get(key.id, key.keys)
        return keys_text(bound.split(",")[0])

    # Sending

    def _wished(self) -> None:
        """After a key or the mouse: show what is wished at once, and send it."""
        for refusal in self.desk.refusals:
            words = f"{refusal.message}; {refusal.remedy}" if refusal.remedy else refusal.message
            self.workbench.say(words, severity="warning")
        self.desk.refusals.clear()
        self.redraw()
        self._send_soon()

    def _send_soon(self) -> None:
        if self._send_is_due:
            return
        wait_s = self._sent_at + self.send_every_s - time.monotonic()
        if wait_s <= 0:
            self._send()
        else:
            self._send_is_due = True
            self.set_timer(wait_s, self._send)

    def _send(self) -> None:
        self._send_is_due = False
        commands = self.desk.take_outbox() if self._talk.is_connected else ()
        if commands:
            self._sent_at = time.monotonic()
            self._talk.send(commands)

    # Going to a number

    def _ask_where(self, title: str, count: int) -> None:
        asking = LineScreen(title, f"A number from 1 to {count}", digits=True)
        self.app.push_screen(asking, self._jump_to)

    def _jump_to(self, line: str | None) -> None:
        if line is not None:
            self.desk.go(int(line) - 1)
            self._wished()

    # The way out

    def action_back(self) -> None:
        if not self.view.state.live:
            self.workbench.action_leave_screen()
            return
        rows = [(_LEAVE, self.leaving.goes_on), (_END, "end the session")]
        self.app.push_screen(PickScreen(self.leaving.title, rows, self.leaving.text), self._leave)

    def _leave(self, how: str | None) -> None:
        if how == _END:
            self.send(Stop(), self.leaving.ended)
        if how is not None:
            self.workbench.action_leave_screen()
