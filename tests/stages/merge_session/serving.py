"""A session served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from engine.merge.face_nets import FaceNets
from engine.protocol.events import Event, MergeRefused, MergeShown, MergeState, MergeStrip
from engine.protocol.merge_commands import MergeCommand, MergeView
from engine.protocol.workspace import Workspace
from engine.stages.merge.plan import collect_jobs
from engine.stages.merge_session.opening import open_session
from tests.merge.composing import fake_nets
from tests.merge.fakes import FakePredictor, round_predictor
from tests.stages.served import WITHIN_S, SessionViewer, served
from tests.support.context import context_for


@dataclass
class Viewer(SessionViewer):
    """Sends commands, and waits for what they bring about. `pictures` are read when told, by their
    place among all that was told."""

    pictures: dict[int, np.ndarray] = field(default_factory=dict)

    def hear(self, event: Event, to: int | None = None) -> None:
        """In place of the context's `tell`."""
        with self.changed:
            if to in (None, self.number) and isinstance(event, MergeShown | MergeStrip):
                self.pictures[len(self.told)] = cv2.imread(event.path)
            super().hear(event, to)

    def picture(
        self, since: int = 0, where: Callable[[MergeShown], bool] = lambda _: True
    ) -> np.ndarray:
        """The first shown picture since then; waits for it."""
        return self.pictures[self.found(MergeShown, since, where)[0]]

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
    context = context_for(workspace.root, "merge-session", confirmed=confirmed, **options)
    opening = open_session(
        context, collect_jobs(context), nets or fake_nets(predictor or round_predictor())
    )
    greeting = view or MergeView(width=240, height=160)
    with served(context, Viewer(context), opening, greeting) as viewer:
        yield viewer
