"""A session served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cv2
import numpy as np
from msgspec.structs import replace

from engine.merge.face_nets import FaceNets
from engine.protocol.commands import ViewerLeft
from engine.protocol.events import Event, MergeRefused, MergeShown, MergeState, MergeStrip
from engine.protocol.merge_commands import MergeCommand, MergeView
from engine.protocol.workspace import Workspace
from engine.stages.merge.plan import collect_jobs
from engine.stages.merge_session.opening import open_session
from tests.merge.composing import fake_nets
from tests.merge.fakes import FakePredictor, round_predictor
from tests.support.context import RecordingContext, context_for

WITHIN_S = 20
Kind = TypeVar("Kind", bound=Event)


@dataclass
class Viewer:
    """Sends commands, and waits for what they bring about. `pictures` are read when told."""

    context: Any
    number: int = 1
    told: list[Event] = field(default_factory=list)
    pictures: dict[int, np.ndarray] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, event: Event, to: int | None = None) -> None:
        """In place of the context's `tell`."""
        if to not in (None, self.number):
            return
        with self.changed:
            if isinstance(event, MergeShown | MergeStrip):
                self.pictures[len(self.told)] = cv2.imread(event.path)
            self.told.append(event)
            self.changed.notify_all()

    def send(self, *commands: MergeCommand | ViewerLeft) -> int:
        """Send all at once; returns how much was told before, for `first`."""
        mine = [replace(command, sender=self.number) for command in commands]
        with self.changed:
            before = len(self.told)
            self.context.queue = [*self.context.queue, *mine]
        self.context.wake()
        return before

    def first(
        self, kind: type[Kind], since: int = 0, where: Callable[[Kind], bool] = lambda _: True
    ) -> Kind:
        """The first event of that kind since then; waits for it."""
        return self._found(kind, since, where)[1]

    def picture(
        self, since: int = 0, where: Callable[[MergeShown], bool] = lambda _: True
    ) -> np.ndarray:
        """The first shown picture since then; waits for it."""
        return self.pictures[self._found(MergeShown, since, where)[0]]

    def another(self, view: MergeView) -> Viewer:
        """A second viewer that comes."""
        other = Viewer(self.context, self.number + 1)
        tell_first = self.context.tell

        def tell(event: Event, to: int | None = None) -> None:
            tell_first(event, to)
            other.hear(event, to)

        self.context.tell = tell
        other.send(view)
        return other

    def shown_after(self, *commands: MergeCommand) -> MergeShown:
        """The full picture that these commands lead to."""
        since = self.send(*commands)
        seq = max(command.seq for command in commands)
        return self.first(
            MergeShown, since, lambda shown: not shown.proxy and shown.answered >= seq
        )

    def refusal_of(self, command: MergeCommand) -> MergeRefused:
        return self.first(MergeRefused, self.send(command))

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true of files that nobody tells of."""
        until = time.monotonic() + WITHIN_S
        with self.changed:
            while not true():
                assert time.monotonic() < until
                self.changed.wait(0.05)

    def state(self, where: Callable[[MergeState], bool], since: int = 0) -> MergeState:
        return self.first(MergeState, since, where)

    def _found(
        self, kind: type[Kind], since: int, where: Callable[[Kind], bool]
    ) -> tuple[int, Kind]:
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
def serving(
    workspace: Workspace,
    predictor: FakePredictor | None = None,
    nets: FaceNets | None = None,
    *,
    confirmed: bool = False,
    view: MergeView | None = None,
    **options: Any,
) -> Iterator[Viewer]:
    """A session with the fake predictor in place of a trained model, and a viewer of it; stopped,
    finished and reported (`viewer.context.facts`) when the block ends."""
    context: RecordingContext = context_for(
        workspace.root, "merge-session", confirmed=confirmed, **options
    )
    viewer = Viewer(context)
    context.tell = viewer.hear  # type: ignore[method-assign]
    died: list[BaseException] = []
    frames = collect_jobs(context)
    with open_session(
        context, frames, nets or fake_nets(predictor or round_predictor())
    ) as session:

        def serve() -> None:
            try:
                session.run()
            except BaseException as error:
                died.append(error)
                raise

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            viewer.send(view or MergeView(width=240, height=160))
            yield viewer
        finally:
            context.stop_requested = True
            context.wake()
            thread.join(WITHIN_S)
    assert not thread.is_alive() and not died
    context.result(**session.facts())
