"""An interactive session served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from engine.protocol.commands import Command
from engine.protocol.events import Event
from tests.support.context import RecordingContext

WITHIN_S = 30
Kind = TypeVar("Kind", bound=Event)
AViewer = TypeVar("AViewer", bound="SessionViewer")


class Session(Protocol):
    """What stages of sessions open."""

    def run(self) -> None: ...

    def facts(self) -> Mapping[str, Any]: ...


@dataclass
class SessionViewer:
    """Sends commands, and waits for what they bring about."""

    context: Any
    told: list[Event] = field(default_factory=list, kw_only=True)
    changed: threading.Condition = field(default_factory=threading.Condition, kw_only=True)

    def hear(self, event: Event, to: int | None = None) -> None:
        """In place of the context's `tell`."""
        with self.changed:
            self.told.append(event)
            self.changed.notify_all()

    def send(self, *commands: Command) -> int:
        """Send all at once; returns how much was told before, for `first`."""
        with self.changed:
            before = len(self.told)
            self.context.queue = [*self.context.queue, *commands]
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
    context: RecordingContext,
    viewer: AViewer,
    opening: AbstractContextManager[Session],
    greeting: Command,
) -> Iterator[AViewer]:
    """The session, greeted by the viewer; stopped, finished and reported (`viewer.context.facts`)
    when the block ends."""
    context.tell = viewer.hear  # type: ignore[method-assign]
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
