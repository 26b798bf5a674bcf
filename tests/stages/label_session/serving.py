"""A label session served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from engine.protocol.events import (
    Event,
    LabelsKept,
    LabelsRefused,
    LabelsShown,
    LabelsState,
)
from engine.protocol.label_commands import (
    LabelCommand,
    LabelPolygon,
    LabelsGo,
    LabelsSet,
    LabelsView,
    Polygons,
    labels_stamp,
)
from engine.stages.label_session.label_file import read_label_file
from engine.stages.label_session.run import open_session
from tests.support.context import RecordingContext, context_for

WITHIN_S = 20
Kind = TypeVar("Kind", bound=Event)

TRIANGLE = LabelPolygon(True, ((10.25, 10.5), (50.0, 12.75), (30.0, 50.0)))
HOLE = LabelPolygon(False, ((20.0, 20.0), (30.0, 20.0), (25.0, 30.0)))
BEGUN = LabelPolygon(True, ((1.5, 2.5), (3.5, 4.25)))
NOTHING = labels_stamp(())


@dataclass
class Viewer:
    """Sends commands, and waits for what they bring about."""

    context: Any
    folder: Path
    told: list[Event] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, event: Event, to: int | None = None) -> None:
        """In place of the context's `tell`."""
        with self.changed:
            self.told.append(event)
            self.changed.notify_all()

    def send(self, *commands: LabelCommand) -> int:
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
        until = time.monotonic() + WITHIN_S
        with self.changed:
            while True:
                for event in self.told[since:]:
                    if isinstance(event, kind) and where(event):
                        return event
                left_s = until - time.monotonic()
                assert left_s > 0, f"no such {kind.__name__} in {self.told[since:]}"
                self.changed.wait(left_s)

    def shown(self, face: int) -> LabelsShown:
        return self.first(LabelsShown, self.send(LabelsGo(face)), lambda s: s.face == face)

    def kept(self, command: LabelsSet) -> LabelsKept:
        return self.first(
            LabelsKept, self.send(command), lambda kept: kept.command_seq == command.seq
        )

    def refusal_of(self, command: LabelCommand) -> LabelsRefused:
        return self.first(LabelsRefused, self.send(command))

    def state(self, where: Callable[[LabelsState], bool], since: int = 0) -> LabelsState:
        return self.first(LabelsState, since, where)

    def in_file(self, name: str) -> Polygons:
        return read_label_file(self.folder / name).polygons


@contextmanager
def serving(root: Path, view: LabelsView | None = None, **options: Any) -> Iterator[Viewer]:
    """A session and a viewer of it; stopped, finished and reported when the block ends."""
    context: RecordingContext = context_for(root, "label-session", **{"side": "src"} | options)
    side = context.workspace.side(context.options["side"])
    viewer = Viewer(context, side.aligned)
    context.tell = viewer.hear  # type: ignore[method-assign]
    died: list[BaseException] = []
    with open_session(context) as session:

        def serve() -> None:
            try:
                session.run()
            except BaseException as error:
                died.append(error)
                raise

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            viewer.send(view or LabelsView())
            yield viewer
        finally:
            context.stop_requested = True
            context.wake()
            thread.join(WITHIN_S)
    assert not thread.is_alive() and not died
    context.result(**session.facts())
