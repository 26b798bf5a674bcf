"""An interactive session served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Protocol, Self, TypeVar

from msgspec.structs import replace as struct_replace

from engine.protocol.commands import Command, ViewerCommand
from engine.protocol.events import Event

WITHIN_S = 30
Kind = TypeVar("Kind", bound=Event)
AViewer = TypeVar("AViewer", bound="SessionViewer")


class Session(Protocol):
    """What stages of sessions open."""

    def run(self) -> None: ...

    def facts(self) -> Mapping[str, Any]: ...


@dataclass
class SessionViewer:
    """Sends commands, and waits for what they bring about. number: of its connection."""

    context: Any
    number: int = field(default=1, kw_only=True)
    told: list[Event] = field(default_factory=list, kw_only=True)
    changed: threading.Condition = field(default_factory=threading.Condition, kw_only=True)

    def hear(self, event: Event, to: int | None = None) -> None:
        """What the context tells."""
        if to not in (None, self.number):
            return
        with self.changed:
            self.told.append(event)
            self.changed.notify_all()

    def another(self, greeting: Command) -> Self:
        """A second viewer that comes."""
        makers = {one.name: one.default_factory for one in fields(self)}
        fresh = {name: make() for name, make in makers.items() if make is not MISSING}
        other = replace(self, number=self.number + 1, **fresh)
        self.context.viewers.append(other)
        other.send(greeting)
        return other

    def send(self, *commands: Command) -> int:
        """Send all at once, as this viewer; returns how much was told before, for `first`."""
        sent = [
            struct_replace(one, sender=self.number) if isinstance(one, ViewerCommand) else one
            for one in commands
        ]
        with self.changed:
            before = len(self.told)
            self.context.queue = [*self.context.queue, *sent]
        self.context.wake()
        return before

    def first(
        self, kind: type[Kind], since: int = 0, where: Callable[[Kind], bool] = lambda _: True
    ) -> Kind:
        """The first event of that kind since then; waits for it."""
        return self.found(kind, since, where)[1]

    def found(
        self, kind: type[Kind], since: int, where: Callable[[Kind], bool]
    ) -> tuple[int, Kind]:
        """The same with its place among all that was told."""
        until = time.monotonic() + WITHIN_S
        with self.changed:
            while True:
                for place, event in enumerate(self.told[since:], start=since):
                    if isinstance(event, kind) and where(event):
                        return place, event
                left_s = until - time.monotonic()
                assert left_s > 0, f"no such {kind.__name__} in {self.told[since:]}"
                self.changed.wait(left_s)


@contextmanager
def served(
    context: Any,
    viewer: AViewer,
    opening: AbstractContextManager[Session],
    greeting: Command,
) -> Iterator[AViewer]:
    """The session, greeted by the viewer; stopped, finished and reported (`viewer.context.facts`)
    when the block ends."""
    viewers: list[SessionViewer] = [viewer]

    def tell(event: Event, to: int | None = None) -> None:
        for one in viewers:
            one.hear(event, to)

    context.tell, context.viewers = tell, viewers
    died: list[BaseException] = []
    with opening as session:

        def serve() -> None:
            try:
                session.run()
            except BaseException as error:
                died.append(error)
                raise

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            viewer.send(greeting)
            yield viewer
        finally:
            context.stop_requested = True
            context.wake()
            thread.join(WITHIN_S)
    assert not thread.is_alive() and not died
    context.result(**session.facts())
