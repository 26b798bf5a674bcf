"""The session's loop: commands in, face files written, and what viewers see told.

The main thread alone decides and writes. Others read frames ahead (`FrameStore`), look for
landmarks (`Looks`) and make the faces of many frames (`Filling`); they wake it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.detect.detection import ImageBgrU8, PointsXY
from engine.faces.landmark_shapes import mean_face_at
from engine.protocol import manual_commands as commands
from engine.protocol.commands import Command, ViewerLeft
from engine.protocol.errors import FacewrightError, InputError, UsageError
from engine.protocol.events import ManualRefused, ManualState
from engine.protocol.manual_commands import ManualCommand, NumberedCommand
from engine.protocol.stage import StageContext
from engine.stages.faces_manual.decisions import Decided, Decisions, Draft
from engine.stages.faces_manual.face_writer import FaceWriter, read_points
from engine.stages.faces_manual.feed import Feed
from engine.stages.faces_manual.filling import Ended, Filling, Known
from engine.stages.faces_manual.fills import after_of, between_of
from engine.stages.faces_manual.frame_pictures import FramePictures
from engine.stages.faces_manual.looks import Look, Looks, Square, first_square
from engine.stages.faces_manual.placed_face import PlacedFace, checked_points, checked_square
from engine.stages.faces_manual.worklist import Worklist, unmark
from engine.stages.unwatched import is_forgotten

# Without commands. A stop ends any wait.
IDLE_S = 5.0
# How long commands that came before a stop may take, and how often they are tried then.
LAST_WAIT_S, LAST_LOOK_EVERY_S = 10.0, 0.02


@dataclass
class ManualSession:
    """All parts of a session. frame: the number of the shown one; face: what is placed in it."""

    context: StageContext
    work: Worklist
    decisions: Decisions
    writer: FaceWriter
    pictures: FramePictures
    looks: Looks
    feed: Feed
    accurate: bool
    frame: int = 0
    face: PlacedFace = field(default_factory=lambda: PlacedFace(Square(0, 0, 0)))
    filling: Filling | None = None
    kept: int = 0
    _waiting: deque[ManualCommand] = field(default_factory=deque)
    _asked: Look | None = None
    _wants_look: bool = False
    _square_answers: Mapping[int, int] = field(default_factory=dict)

    def run(self) -> None:
        """Serve until a stop is requested; what came before it is carried out."""
        self._begin()
        while not (self.context.stop_requested or is_forgotten(self.context)):
            self._serve(self.context.wait_for_commands(self.feed.due_in_s() or IDLE_S))
        ends_at = time.monotonic() + LAST_WAIT_S
        self._serve(self.context.commands())
        while self._waiting and time.monotonic() < ends_at:
            time.sleep(LAST_LOOK_EVERY_S)  # for landmarks or a picture that a face is kept with
            self._serve([])

    def _serve(self, received: Sequence[Command]) -> None:
        self.feed.leave(one.sender for one in received if isinstance(one, ViewerLeft))
        self._waiting += [one for one in received if isinstance(one, ManualCommand)]
        self._take_look()
        self._take_filled()
        self._obey()
        self.pictures.tell(self.frame)
        self._look_if_wanted()
        self.feed.tell_face(self.frame, self.face, is_looking=self._asked is not None)
        self.feed.tell_state(self._state)

    def _state(self) -> ManualState:
        filling = self.filling.what if self.filling else ""
        runs = self.work.runs()
        return ManualState(frame=self.frame, runs=runs, accurate=self.accurate, filling=filling)

    def close(self) -> None:
        """End what is under way, and make everything safe."""
        if self.filling is not None:
            self.filling.close()

    def facts(self) -> dict[str, str | int | float | bool | None]:
        """What was made, for the run's result."""
        states = self.work.states
        return {
            "frames": len(states),
            "kept": self.kept,
            "left": states.count("open"),
            "folder": str(self.writer.side.aligned),
        }

    # Commands

    def _obey(self) -> None:
        """Carry out what has come, up to the first that waits for a picture or for landmarks."""
        while self._waiting and not self._must_wait(self._waiting[0]):
            command = self._waiting.popleft()
            try:
                if self.filling is not None and not isinstance(command, commands.ManualView):
                    self._end_filling()
                _RULES[type(command)](self, command)
            except FacewrightError as error:
                self._refuse(error.message, error.remedy, to=command.sender)

    def _must_wait(self, command: ManualCommand) -> bool:
        """Keeping, locking and what starts from the face need it as the newest square has it."""
        needs_face = isinstance(
            command, commands.ManualKeep | commands.ManualLock | commands.ManualFill
        )
        needs_picture = needs_face or isinstance(command, commands.ManualSkip)
        if isinstance(command, commands.ManualGo):
            needs_picture = command.keeps and self.face.locked and not self.face.kept
        if needs_picture and self.pictures.is_awaited(self.frame):
            return True
        is_looking = self._wants_look or self._asked is not None
        return needs_face and is_looking and self.pictures.image(self.frame) is not None

    def _refuse(self, message: str, remedy: str = "", *, to: int | None = None) -> None:
        """to: one viewer, None: all."""
        self.context.tell(ManualRefused(message=message, remedy=remedy), to)

    def greet(self, view: commands.ManualView) -> None:
        """A viewer came that knows nothing."""
        self.feed.greet(view.sender)
        self.pictures.forget()

    def go(self, command: commands.ManualGo) -> None:
        frame = self.work.known(command.frame)
        if command.keeps and self.face.locked and not self.face.kept:
            self._keep()
        if frame != self.frame:
            self._forget_draft()
            self._show(frame)

    def set_square(self, command: commands.ManualSquare) -> None:
        self._require_shown(command.frame)
        square = checked_square(command.x, command.y, command.half_side, command.roll_deg)
        self.face = replace(self.face, square=square, locked=False)
        self._square_answers = self._answers(command)
        self._forget_draft()
        self._wants_look = True

    def set_rectangle(self, command: commands.ManualRectangle) -> None:
        self._require_shown(command.frame)
        points = mean_face_at((command.x, command.y), (command.across, command.down))
        self._place("rectangle", checked_points(tuple(map(tuple, points.tolist()))), command)
        self.face = replace(self.face, locked=False)
        self._forget_draft()

    def set_points(self, command: commands.ManualPoints) -> None:
        self._require_shown(command.frame)
        self._place("hand", checked_points(command.points), command)
        self._keep_draft()

    def lock(self, command: commands.ManualLock) -> None:
        self._require_shown(command.frame)
        if command.on and self.face.points is None:
            raise UsageError("there are no landmarks to lock", "place the square on a face")
        self.face = replace(self.face, locked=command.on)
        if command.on:
            self._keep_draft()
        else:
            self._forget_draft()

    def set_accurate(self, command: commands.ManualAccurate) -> None:
        self.accurate = command.on
        self._wants_look = not self.face.locked and self.face.source in ("", "square")

    def keep(self, command: commands.ManualKeep) -> None:
        self._require_shown(command.frame)
        self._keep()
        if command.then >= 0:
            self.go(commands.ManualGo(frame=command.then))

    def skip(self, command: commands.ManualSkip) -> None:
        self._require_shown(command.frame)
        path = self.work.face_files.get(self.frame)
        if self.work.states[self.frame] == "kept" and path is not None:
            self.writer.remove(path)
            del self.work.face_files[self.frame]
        self._decide(self.frame, "skipped")
        image = self.pictures.image(self.frame)
        if image is not None:
            self._draw(image)
        self._forget_draft()
        self.face = PlacedFace(self.face.square, answered=self.face.answered)
        self._wants_look = True

    def copy(self, command: commands.ManualCopy) -> None:
        self._require_shown(command.frame)
        before = self.work.trusted_before(self.frame)
        if before is None:
            raise UsageError("no frame before this one has a face", "place this one")
        self._place("copy", self._points_of(before))
        self._keep_draft()

    def fill(self, command: commands.ManualFill) -> None:
        self._require_shown(command.frame)
        if command.how == "between":
            faces = between_of(self.work, self.frame, self._points_of)
        elif self.face.points is None:
            raise UsageError("there is no face to follow", "place the square on one")
        else:
            faces = after_of(self.work, Known(self.frame, self.face.points), command.frames)
            if not self.face.kept:
                self._keep()
        self.filling = Filling(command.how, faces, self.context.wake)

    # One face

    def _require_shown(self, frame: int) -> None:
        """Commands name their frame: one that was meant for another must not hit this one."""
        if frame != self.frame:
            shown = self.work.paths[self.frame].name
            raise UsageError(
                f"frame {self.work.known(frame)} is not the shown one ({shown})", "go there first"
            )

    def _place(self, source: str, points: PointsXY, by: NumberedCommand | None = None) -> None:
        """Landmarks that no square gave; what a look is still busy with does not count."""
        self._wants_look, self._asked = False, None
        answered = self._answers(by) if by else self.face.answered
        self.face = replace(self.face.with_points(source, points, locked=True), answered=answered)

    def _answers(self, command: NumberedCommand) -> Mapping[int, int]:
        """See `PlacedFace.answered`, once the command is carried out."""
        return {**self.face.answered, command.sender: command.seq}

    def _keep(self) -> None:
        """Write the shown frame's face."""
        image = self.pictures.image(self.frame)
        if image is None:
            raise InputError("a frame that cannot be read has no face", "skip it")
        if self.face.points is None:
            raise UsageError("there are no landmarks to keep", "place the square on a face")
        if not self.face.kept:
            self._write(self.frame, image, self.face.points)
        elif self.work.states[self.frame] != "kept":
            self._decide(self.frame, "kept")  # as it was found
            self._draw(image)
        self.face = replace(self.face, kept=True, locked=True)
        self._forget_draft()

    def _write(self, frame: int, image: ImageBgrU8, points: PointsXY) -> None:
        before = self.work.face_files.get(frame)
        path = self.writer.write(self.work.paths[frame], image, points, before)
        self.work.face_files[frame] = path
        self._decide(frame, "kept")
        self.kept += 1

    def _draw(self, image: ImageBgrU8) -> None:
        """The shown frame's debug picture."""
        first = self.work.face_files.get(self.frame)
        self.writer.draw(self.work.paths[self.frame], image, first)

    def _decide(self, frame: int, state: Decided) -> None:
        name = self.work.paths[frame].name
        self.decisions.add(name, state)
        self.work.states[frame] = state
        unmark(self.context, self.writer.side, name, state)

    def _points_of(self, frame: int) -> PointsXY:
        """The landmarks in that frame's face file. Raises `InputError` if there are none."""
        path = self.work.face_files.get(frame)
        if path is None:
            name = self.work.paths[frame].name
            raise InputError(f"{name} has no first face", "place it, or take another frame")
        return read_points(path)

    def _keep_draft(self) -> None:
        """What is set by hand is not lost by a kill before it is kept."""
        told = self.face.told(self.frame, self.writer.settings.crop.face_type)
        self.decisions.keep_draft(Draft(self.work.paths[self.frame].name, told.points, told.square))

    def _forget_draft(self) -> None:
        self.decisions.keep_draft(None)

    # Frames

    def _begin(self) -> None:
        """At the face that was being placed, or at the first frame that is not done."""
        draft = self.decisions.draft
        names = {path.name: number for number, path in enumerate(self.work.paths)}
        if draft is None or draft.frame not in names:
            self._show(self.work.first_open())
            return
        self._show(names[draft.frame])
        try:
            points, square = checked_points(draft.points), checked_square(*draft.square)
        except UsageError as error:
            self.context.warn(error.message, error.remedy)
            return
        self.face = PlacedFace(square, "hand", points, locked=True)
        self._wants_look = False

    def _show(self, frame: int) -> None:
        self.frame = frame
        self.pictures.want(frame)
        self._asked = None
        self.face = PlacedFace(self.face.square, answered=self.face.answered)
        self._wants_look = True
        if frame in self.work.face_files:
            try:
                points = self._points_of(frame)
            except FacewrightError as error:
                self._refuse(error.message, error.remedy)
                return
            self._place("file", points)
            self.face = replace(self.face, kept=True)

    def _look_if_wanted(self) -> None:
        image = self.pictures.image(self.frame)
        if not self._wants_look or image is None:
            return
        if self.face.square.half_side < 1:  # the session's first frame
            self.face = replace(self.face, square=first_square(image))
        square = self.face.square
        self._asked = Look(self._square_answers, self.frame, image, square, self.accurate)
        self._wants_look = False
        self.looks.ask(self._asked)

    def _take_look(self) -> None:
        """Landmarks of an older square are shown, too: they show that it is followed."""
        seen = self.looks.take()
        if seen is None or self._asked is None or seen.look.frame != self.frame:
            return
        if seen.look is self._asked:
            self._asked = None
        self.face = replace(
            self.face,
            source="square",
            points=seen.points,
            kept=False,
            answered={**self.face.answered, **seen.look.answered},
            doubtful=seen.doubtful,
            ms=seen.ms,
        )

    # Many faces

    def _take_filled(self) -> None:
        """Write faces that were made. At the end, go where one goes on."""
        if self.filling is None:
            return
        try:
            while (made := self.filling.take()) is not None:
                if isinstance(made, Ended):
                    self._filled(made)
                    return
                self._write(made.frame, made.image_bgr_u8, made.points)
        except FacewrightError as error:
            self._end_filling()
            self._refuse(error.message, error.remedy)

    def _filled(self, ended: Ended) -> None:
        was_following = self.filling is not None and self.filling.what == "follow"
        self._end_filling()
        if was_following:
            states = self.work.states
            after = range(self.frame + 1, len(states))
            onward = next((n for n in after if states[n] != "kept"), len(states) - 1)
            self._show(onward)
        else:
            self._show(self.frame)
        if ended.reason:
            self._refuse(ended.reason, ended.remedy)

    def _end_filling(self) -> None:
        assert self.filling is not None
        self.filling.close()
        self.filling = None


# Each rule takes the commands of its own type only.
_RULES: dict[type[Any], Callable[[ManualSession, Any], None]] = {
    commands.ManualView: ManualSession.greet,
    commands.ManualGo: ManualSession.go,
    commands.ManualSquare: ManualSession.set_square,
    commands.ManualRectangle: ManualSession.set_rectangle,
    commands.ManualPoints: ManualSession.set_points,
    commands.ManualLock: ManualSession.lock,
    commands.ManualAccurate: ManualSession.set_accurate,
    commands.ManualKeep: ManualSession.keep,
    commands.ManualSkip: ManualSession.skip,
    commands.ManualCopy: ManualSession.copy,
    commands.ManualFill: ManualSession.fill,
}
