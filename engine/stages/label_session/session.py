"""The session's loop: commands in, files changed, and what viewers see told.

The main thread alone writes. Others read neighbours (`Neighbours`) and make suggestions
(`Suggester`); they wake it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.media.images import ImageU8
from engine.protocol import label_commands as commands
from engine.protocol.commands import Command
from engine.protocol.errors import FacewrightError, InputError, UsageError
from engine.protocol.events import LabelsKept, LabelsRefused, LabelsShown, LabelsState
from engine.protocol.files import disk_error, sync
from engine.protocol.label_commands import LabelCommand, LabelsSet, labels_stamp
from engine.protocol.label_order import order_path, read_label_order
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side
from engine.stages.label_session.desk_file import DeskFile
from engine.stages.label_session.face_list import FaceList, list_faces
from engine.stages.label_session.face_trash import FaceTrash
from engine.stages.label_session.label_file import (
    ChangedElsewhere,
    LabelFile,
    checked_polygons,
    keep_labels,
    read_label_file,
)
from engine.stages.label_session.neighbours import Neighbours, Row
from engine.stages.label_session.suggesting import Suggester
from engine.stages.merge_session.picture_files import PictureFiles
from engine.stages.unwatched import is_forgotten

# When no command came for so long, neighbours are drawn.
REST_S = 0.15
# When what was written is made safe from a power cut, too, and the folder is looked at again.
SAFE_AFTER_S = 2.0
# Without commands. A stop ends any wait.
IDLE_S = 5.0
LARGEST_STRIP_PX = 4096


@dataclass
class LabelSession:
    """All parts of a session. face: the number of the shown one."""

    context: StageContext
    side: Side
    faces: FaceList
    desk: DeskFile
    files: PictureFiles
    neighbours: Neighbours
    suggester: Suggester
    trash: FaceTrash
    face: int = 0
    view: commands.LabelsView = field(default_factory=commands.LabelsView)
    _suggested: tuple[str, ...] = ()
    _order_state: int = 0
    _told: LabelsState | None = None
    _asked_at: float = field(default_factory=time.monotonic)
    _looked_at: float = field(default_factory=time.monotonic)
    _folder_state: int = 0
    _unsafe: set[Path] = field(default_factory=set)

    def run(self) -> None:
        """Serve until a stop is requested."""
        self.face = self._begin_at()
        self._try(self._read_order)
        self._folder_state = _state_of(self.side.aligned)
        while not (self.context.stop_requested or is_forgotten(self.context)):
            self._obey(self.context.wait_for_commands(self._patience_s()))
            self.suggester.collect()
            self._rest()
            self._tell_state()

    def close(self) -> None:
        """Carry out what came with the stop, and make everything safe. Raises `InputError` if it
        cannot be written."""
        self._obey(self.context.commands())
        self._make_safe()

    def facts(self) -> dict[str, str | int | float | bool | None]:
        """What there is now, for the run's result."""
        labelled = self.faces.labelled_count
        return {"faces": len(self.faces), "labelled": labelled}

    # Commands

    def _obey(self, received: Sequence[Command]) -> None:
        known = [command for command in received if isinstance(command, LabelCommand)]
        for command in known:
            try:
                _RULES[type(command)](self, command)
            except FacewrightError as error:
                self._refuse(command, error)
        if known:
            self._asked_at = time.monotonic()

    def _refuse(self, command: LabelCommand, error: FacewrightError) -> None:
        seq = getattr(command, "seq", 0)
        refusal = LabelsRefused(command_seq=seq, message=error.message, remedy=error.remedy)
        self.context.tell(refusal, to=command.sender)
        if isinstance(command, LabelsSet) and len(self.faces) and command.name == self._name:
            # What the viewer shows is not in the file: it shall see what is.
            elsewhere = isinstance(error, ChangedElsewhere)
            self._show(changed_elsewhere=elsewhere, to=command.sender)

    def greet(self, view: commands.LabelsView) -> None:
        """A viewer came that knows nothing."""
        if not (0 <= view.strip_faces <= 99 and 1 <= view.strip_height <= LARGEST_STRIP_PX):
            raise UsageError(
                f"a strip of {view.strip_faces} faces of {view.strip_height} pixels",
                f"give 0 to 99 faces of 1 to {LARGEST_STRIP_PX} pixels",
            )
        self.view = view
        self._told = None
        self.neighbours.forget()
        self._tell_state()
        self._show(to=view.sender)

    def go(self, command: commands.LabelsGo) -> None:
        if command.name:
            self._path(command.name)
        elif not 0 <= command.face < len(self.faces):
            raise UsageError(
                f"there is no face number {command.face}",
                f"faces are numbered 0 to {len(self.faces) - 1}",
            )
        self.face = self.faces.number(command.name) if command.name else command.face
        self.desk.keep_face(self._name)
        self._show()

    def keep(self, command: LabelsSet) -> None:
        """Write what is drawn: first the begun polygon, which a closed one takes the place of."""
        path = self._path(command.name)
        begun = command.open
        if begun is not None:
            checked_polygons((begun,))
            self.desk.keep_open(command.name, begun)
        is_labelled = keep_labels(path, command.polygons, command.over)
        if begun is None:
            self.desk.keep_open(command.name, None)
        if self.faces.is_labelled(command.name) != is_labelled:
            self.faces.set_labelled(command.name, is_labelled)
        self._unsafe.add(path)
        stamp = labels_stamp(checked_polygons(command.polygons))
        kept = LabelsKept(name=command.name, command_seq=command.seq, stamp=stamp)
        self.context.tell(kept, to=command.sender)

    def suggest(self, command: commands.LabelsSuggest) -> None:
        self.suggester.ask(command, self._path(command.name))

    def throw_away(self, command: commands.LabelsTrash) -> None:
        path, shown = self._path(command.name), self._name
        self.trash.put(command.name)
        self._unsafe.discard(path)
        self.faces.remove(command.name)
        self._stay_at(shown)

    def bring_back(self, _: commands.LabelsUntrash) -> None:
        name = self.trash.bring_back()
        is_labelled = bool(read_label_file(self.side.aligned / name).polygons)
        self.faces.set_labelled(name, is_labelled)
        self.face = self.faces.number(name)
        self.desk.keep_face(name)
        self._show()

    # Showing

    def _show(self, *, changed_elsewhere: bool = False, to: int | None = None) -> None:
        """Tell the shown face as it is in its file now; `to`: one viewer, None: all."""
        if not len(self.faces):
            return
        name = self._name
        shown = LabelsShown(
            face=self.face, name=name, path=str(self.side.aligned / name), width=0, height=0
        )
        shown.changed_elsewhere = changed_elsewhere
        try:
            self._fill(shown, read_label_file(self.side.aligned / name))
        except FacewrightError as error:
            shown.trouble = f"{error.message}; {error.remedy}"
        self.context.tell(shown, to)

    def _fill(self, shown: LabelsShown, file: LabelFile) -> None:
        shown.width, shown.height = file.size_wh
        checked_polygons(file.polygons)
        shown.polygons = file.polygons
        shown.open = self.desk.open_polygon(shown.name)
        if shown.open is not None and any(
            labels_stamp((shown.open,)) == labels_stamp((polygon,)) for polygon in shown.polygons
        ):
            shown.open = None  # it was closed, and a kill came before it was forgotten
        mask = file.applied_mask()
        if mask is not None:
            shown.mask_path = str(self.files.write("mask", _grey(mask)))
        self.faces.set_labelled(shown.name, bool(shown.polygons))

    def _tell_state(self) -> None:
        state = LabelsState(
            faces=len(self.faces),
            face=self.face,
            labelled=self.faces.labelled_runs(),
            suggested=self.faces.numbers_of(self._suggested),
            trashed=self.trash.count(),
        )
        if state == self._told:
            return
        self._told = state
        self.context.tell(msgspec.structs.replace(state))  # who sends it numbers and dates it
        self.context.progress(self.faces.labelled_count, len(self.faces), unit="faces")

    def _show_neighbours(self) -> None:
        count = min(self.view.strip_faces, len(self.faces))
        if not count:
            return
        first = min(max(0, self.face - count // 2), len(self.faces) - count)
        names = self.faces.names[first : first + count]
        paths = tuple(self.side.aligned / name for name in names)
        self.neighbours.show(Row(self.face, first, paths, self.view.strip_height))

    # Time

    @property
    def _quiet_s(self) -> float:
        return time.monotonic() - self._asked_at

    def _patience_s(self) -> float:
        due = [after - self._quiet_s for after in (REST_S, SAFE_AFTER_S)]
        return min([IDLE_S, *(seconds for seconds in due if seconds > 0)])

    def _rest(self) -> None:
        self._try(self.neighbours.collect)
        if self._quiet_s >= REST_S:
            self._show_neighbours()
        if self._quiet_s >= SAFE_AFTER_S:
            self._try(self._read_order)
            self._try(self._look_again)
            self._try(self._make_safe)

    def _try(self, work: Callable[[], None]) -> None:
        """What may wait: a failure of it stops nobody from drawing."""
        try:
            work()
        except InputError as error:
            self.context.warn(error.message, error.remedy)

    def _make_safe(self) -> None:
        try:
            for path in self._unsafe:
                if path.exists():
                    sync(path)
            if self._unsafe:
                sync(self.side.aligned)
        except OSError as error:
            raise disk_error(error, self.side.aligned) from error
        self._unsafe.clear()
        self.desk.make_safe()

    def _look_again(self) -> None:
        """Faces may have come or gone by other hands."""
        state = _state_of(self.side.aligned)
        if state == self._folder_state:
            return
        self._folder_state = state
        shown = self._name if len(self.faces) else ""
        faces = list_faces(self.context.workspace, self.side, lambda *_: None, self.faces)
        if faces.names != self.faces.names:
            self.faces = faces
            self.neighbours.forget()
            self._stay_at(shown)

    def _read_order(self) -> None:
        """Which faces are most worth labelling, if that was found out (again) meanwhile."""
        state = _state_of(order_path(self.context.workspace, self.side.name))
        if state == self._order_state:
            return
        self._order_state = state
        order = read_label_order(self.context.workspace, self.side.name)
        self._suggested = order.names if order else ()

    # Faces

    @property
    def _name(self) -> str:
        return self.faces.names[self.face]

    def _path(self, name: str) -> Path:
        if name not in self.faces:
            raise UsageError(f"there is no face {name}", "it was moved or renamed; look at others")
        return self.side.aligned / name

    def _begin_at(self) -> int:
        if self.desk.face in self.faces:
            return self.faces.number(self.desk.face)
        return 0

    def _stay_at(self, name: str) -> None:
        """After faces came or went: at the face of that name, or the one after where it was."""
        self.face = min(self.faces.number(name), max(0, len(self.faces) - 1))
        self._tell_state()
        if len(self.faces):
            self.desk.keep_face(self._name)
            self._show()


def _state_of(path: Path) -> int:
    """Another number when the file or folder was changed; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _grey(mask: Any) -> ImageU8:
    return np.asarray(mask * 255 + 0.5, np.uint8)


# Each rule takes the commands of its own type only.
_RULES: dict[type[Any], Callable[[LabelSession, Any], None]] = {
    commands.LabelsView: LabelSession.greet,
    commands.LabelsGo: LabelSession.go,
    commands.LabelsSet: LabelSession.keep,
    commands.LabelsSuggest: LabelSession.suggest,
    commands.LabelsTrash: LabelSession.throw_away,
    commands.LabelsUntrash: LabelSession.bring_back,
}
