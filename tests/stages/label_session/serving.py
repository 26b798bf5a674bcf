"""A label session served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.protocol.events import (
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
from tests.stages.served import SessionViewer, served
from tests.support.context import context_for

TRIANGLE = LabelPolygon(True, ((10.25, 10.5), (50.0, 12.75), (30.0, 50.0)))
HOLE = LabelPolygon(False, ((20.0, 20.0), (30.0, 20.0), (25.0, 30.0)))
BEGUN = LabelPolygon(True, ((1.5, 2.5), (3.5, 4.25)))
NOTHING = labels_stamp(())


@dataclass
class Viewer(SessionViewer):
    """Sends commands, and waits for what they bring about."""

    folder: Path

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
    context = context_for(root, "label-session", **{"side": "src"} | options)
    viewer = Viewer(context, context.workspace.side(context.options["side"]).aligned)
    with served(context, viewer, open_session(context), view or LabelsView()):
        yield viewer
