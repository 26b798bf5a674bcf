"""What a viewer of a label session knows and wants: events and wishes in, commands out.

What is drawn is seen at once and sent at once; every face keeps its own undo. Wishes for a face
that was just gone to wait until it is shown. The desk outlives its screen and its session: what no
session has acknowledged is sent again to the next one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace as struct_replace

from engine.protocol import label_commands as commands
from engine.protocol.events import (
    AnyEvent,
    LabelsKept,
    LabelsRefused,
    LabelsShown,
    LabelsState,
    LabelsSuggested,
)
from engine.protocol.label_commands import LabelCommand, LabelsSet, Suggestion, labels_stamp
from engine.protocol.undo import History
from tuiapp.bridge.label_drawing import Drawing
from tuiapp.bridge.label_pencil import LabelPencil

Among = Literal["all", "labelled", "unlabelled", "suggested"]
# What is wished while a face is awaited; more is a key that was forgotten under a book.
_WISHES_KEPT = 200


class LabelDesk:
    """state, shown: what the session told last; None before. pencil: what is drawn on the shown
    face. refusals: what was refused since they were taken. asked: the suggestion that is awaited.
    """

    def __init__(self, side: str) -> None:
        self.side = side
        self.state: LabelsState | None = None
        self.shown: LabelsShown | None = None
        self.view = commands.LabelsView()
        self.pencil = LabelPencil(self._drawn)
        self.refusals: list[LabelsRefused] = []
        self.asked: Suggestion | None = None
        self._histories: dict[str, History[Drawing]] = {}
        self._stamps: dict[str, str] = {}  # of what is in each file when all that was sent is
        self._unanswered: dict[int, LabelsSet] = {}
        self._unwritten: set[str] = set()
        self._outbox: list[LabelCommand] = []
        self._seq = 0
        self._awaits: Callable[[LabelsShown], bool] | None = None
        self._at = 0
        self._goes_to: int | None = None
        self._begins_at = ""
        self._waiting: list[Callable[[], None]] = []

    @property
    def name(self) -> str:
        return self.shown.name if self.shown else ""

    @property
    def face(self) -> int:
        """The number of the face that is wished for, or shown."""
        return self._at if self._goes_to is None else self._goes_to

    @property
    def faces(self) -> int:
        return self.state.faces if self.state else 0

    @property
    def labelled(self) -> list[int]:
        """The faces that have labels, ascending."""
        numbers: list[int] = []
        start = 0
        for place, length in enumerate(self.state.labelled if self.state else ()):
            if place % 2:
                numbers.extend(range(start, start + length))
            start += length
        return numbers

    @property
    def is_kept(self) -> bool:
        """All that is drawn is in the files."""
        return not self._unanswered and not self._unwritten

    @property
    def undo_depths(self) -> tuple[int, int]:
        """How often one can undo and redo on this face."""
        history = self._histories.get(self.name)
        return (len(history.past), len(history.undone)) if history else (0, 0)

    def take_outbox(self) -> list[LabelCommand]:
        """What is to be sent now, in this order."""
        taken, self._outbox = self._outbox, []
        return taken

    def begin_at(self, name: str) -> None:
        """Show that face first."""
        self._begins_at = name

    # Events

    def greeting(self) -> list[LabelCommand]:
        """What is sent first at a connection: what was drawn and not acknowledged, too."""
        self._outbox.clear()
        self._waiting.clear()
        self._awaits = self._goes_to = self.asked = None
        go = [commands.LabelsGo(name=self._begins_at)] if self._begins_at else []
        self._begins_at = ""
        return [*self._unanswered.values(), *go, self.view]

    def heard(self, event: AnyEvent) -> None:
        """Take in what the session tells."""
        if isinstance(event, LabelsState):
            self.state = event
            self._at = event.face
        elif isinstance(event, LabelsShown):
            self._take_shown(event)
        elif isinstance(event, LabelsKept):
            self._answered(lambda seq, _: seq <= event.command_seq)
        elif isinstance(event, LabelsSuggested):
            self._take_suggestion(event)
        elif isinstance(event, LabelsRefused):
            self._take_refusal(event)

    def _take_shown(self, shown: LabelsShown) -> None:
        if self._awaits is not None and not self._awaits(shown):
            return  # one on the way to where the user is already
        self._awaits = self._goes_to = None
        self.shown, self._at = shown, shown.face
        if not any(command.name == shown.name for command in self._unanswered.values()):
            self._stamps[shown.name] = labels_stamp(shown.polygons)
            self._adopt(shown)
        self.pencil.take(self._histories[shown.name].present)
        while self._waiting and self._awaits is None:
            self._waiting.pop(0)()

    def _adopt(self, shown: LabelsShown) -> None:
        """What is in the file is what there is; what was drawn here instead, one can undo to. But
        what could not be written (the disk is full) stays to be seen."""
        if shown.name in self._unwritten and not shown.changed_elsewhere:
            return
        self._unwritten.discard(shown.name)
        there = Drawing(shown.polygons, shown.open)
        history = self._histories.get(shown.name)
        self._histories[shown.name] = history.changed(there) if history else History(there)

    def _answered(self, is_answered: Callable[[int, LabelsSet], bool]) -> None:
        waiting = self._unanswered.items()
        self._unanswered = {seq: one for seq, one in waiting if not is_answered(seq, one)}

    def _take_refusal(self, refusal: LabelsRefused) -> None:
        self.refusals.append(refusal)
        self.asked = None
        self._awaits = self._goes_to = None
        refused = self._unanswered.get(refusal.command_seq)
        if refused is not None:
            # Those after it go over what is not there.
            self._unwritten.add(refused.name)
            self._answered(lambda _, one: one.name == refused.name)

    def _take_suggestion(self, suggested: LabelsSuggested) -> None:
        self.asked = None
        if suggested.name == self.name and self._awaits is None:
            self.pencil.set_polygons(suggested.polygons)

    # Drawing

    def when_shown(self, wish: Callable[[], None]) -> None:
        """Do it now, or when the face that was gone to is shown; nothing without a face."""
        if self.shown is None or self.shown.trouble:
            return
        if self._awaits is None:
            wish()
        elif len(self._waiting) < _WISHES_KEPT:
            self._waiting.append(wish)

    def _drawn(self, drawing: Drawing, is_same_step: bool) -> None:
        history = self._histories[self.name]
        self._histories[self.name] = history.changed(drawing, is_same_step=is_same_step)
        self._keep(drawing)

    def undo(self) -> None:
        self.when_shown(lambda: self._go_back_to(self._histories[self.name].undo()))

    def redo(self) -> None:
        self.when_shown(lambda: self._go_back_to(self._histories[self.name].redo()))

    def _go_back_to(self, history: History[Drawing]) -> None:
        if history.present != self.pencil.drawing:
            self._histories[self.name] = history
            self.pencil.take(history.present)
            self._keep(history.present)

    def _keep(self, drawing: Drawing) -> None:
        """Have it written; it goes over what was sent before."""
        self._seq += 1
        self._unwritten.discard(self.name)
        over = self._stamps[self.name]
        unsent = self._outbox[-1] if self._outbox else None
        if isinstance(unsent, LabelsSet) and unsent.name == self.name:
            self._outbox.pop()  # never to be written by itself
            del self._unanswered[unsent.seq]
            over = unsent.over
        command = LabelsSet(self.name, drawing.polygons, drawing.open, over, self._seq)
        self._stamps[self.name] = labels_stamp(drawing.polygons)
        self._unanswered[self._seq] = command
        self._outbox.append(command)

    def suggest(self, how: Suggestion) -> None:
        """Ask for polygons; they take the place of what is drawn when they come."""

        def ask() -> None:
            self.asked = how
            self._outbox.append(commands.LabelsSuggest(self.name, how))

        self.when_shown(ask)

    # Faces

    def go(self, face: int) -> None:
        """To that face, or to the first or last one if there is none."""
        face = min(max(0, face), self.faces - 1)
        if self.state is None or face < 0 or face == self.face:
            return
        self._goes_to, self._awaits = face, lambda shown: shown.face == face
        self.pencil.drop()
        command = commands.LabelsGo(face)
        if self._outbox and isinstance(self._outbox[-1], commands.LabelsGo):
            self._outbox[-1] = command
        else:
            self._outbox.append(command)

    def go_by(self, faces: int) -> None:
        self.go(self.face + faces)

    def go_among(self, among: Among, direction: int) -> bool:
        """To the next (1) or the one before (-1) among those; whether there is one."""
        if among == "suggested":
            return self._go_suggested(direction)
        labelled = self.labelled
        if among == "labelled":
            numbers = labelled
        else:
            numbers = sorted(set(range(self.faces)) - set(labelled))
        if direction > 0:
            found = numbers[bisect_right(numbers, self.face) :][:1]
        else:
            found = numbers[: bisect_left(numbers, self.face)][-1:]
        for number in found:
            self.go(number)
        return bool(found)

    def _go_suggested(self, direction: int) -> bool:
        """In the order of the suggestion; those that have labels by now are passed over."""
        order = list(self.state.suggested) if self.state else []
        done = set(self.labelled) - {self.face}
        at = order.index(self.face) if self.face in order else (-1 if direction > 0 else len(order))
        places = range(at + 1, len(order)) if direction > 0 else range(at - 1, -1, -1)
        for place in places:
            if order[place] not in done:
                self.go(order[place])
                return True
        return False

    def trash(self) -> None:
        """The shown face goes to the trash."""

        def throw() -> None:
            name = self.name
            self._awaits = lambda shown: shown.name != name
            self._outbox.append(commands.LabelsTrash(name))

        if self.shown is not None and self._awaits is None:
            throw()  # one that cannot be read, too

    def untrash(self) -> None:
        """The face that went to the trash last comes back."""
        if self._awaits is None:
            self._awaits = lambda _: True
            self._outbox.append(commands.LabelsUntrash())

    def look_with(self, view: commands.LabelsView) -> None:
        """Have the strip made so."""
        if view != self.view:
            self.view = view
            self._outbox.append(view)


def with_strip(view: commands.LabelsView, faces: int, height_px: int) -> commands.LabelsView:
    """The view with a strip of so many faces of that height."""
    return struct_replace(view, strip_faces=faces, strip_height=max(1, height_px))
