"""The session's loop: commands in, pictures and state out, and work ahead in between.

The main thread answers. Others read and predict frames (`FrameStore`), compose in full
(`Painter`), write the timeline (`TimelineKeeper`) and render the rest (`Output`); they wake it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import starmap

from engine.protocol.commands import Command, ViewerLeft
from engine.protocol.errors import FacewrightError
from engine.protocol.events import MergeRefused
from engine.protocol.merge_commands import MergeCommand, MergeView
from engine.protocol.stage import StageContext
from engine.protocol.timeline import Timeline
from engine.protocol.timeline_edits import visit
from engine.stages.merge.plan import file_stamp
from engine.stages.merge_session.desk import Desk, carry_out
from engine.stages.merge_session.frame_store import FrameStore
from engine.stages.merge_session.output import Output
from engine.stages.merge_session.prepared import PreparedFrame, Settings
from engine.stages.merge_session.screen import Screen
from engine.stages.merge_session.shot_search import ShotSearch
from engine.stages.merge_session.state_feed import StateFeed
from engine.stages.merge_session.strip import Row, Strip
from engine.stages.merge_session.timeline_keeper import TimelineKeeper
from engine.stages.unwatched import is_forgotten

# When no command came for so long, the shown frame is composed in full.
REST_S = 0.15
# When the timeline is made safe from a power cut, too.
SAFE_AFTER_S = 2.0
# After frames could not be written (the disk is full), before it is tried again.
TRY_AGAIN_S = 10.0
# Without commands or work. A stop ends any wait.
IDLE_S = 5.0

SettingsIn = Callable[[Timeline, int], Settings]


@dataclass
class Session:
    """All parts of a session, and the order in which each gets its turn.

    settings_in: what a frame is composed by, by a timeline.
    """

    context: StageContext
    desk: Desk
    settings_in: SettingsIn
    frames: FrameStore[PreparedFrame]
    screen: Screen
    output: Output
    keeper: TimelineKeeper
    state: StateFeed
    strip: Strip
    shots: ShotSearch | None
    faces_stamp: object = None
    has_begun_rest: bool = False
    safe_again_at: float = float("-inf")
    writes_again_at: float = float("-inf")

    def run(self) -> None:
        """Serve until a stop is requested, or nobody looks any more and nothing is to be rendered.
        What has begun is then finished by `close`."""
        while not (self.context.stop_requested or self._is_forgotten):
            self._obey(self.context.wait_for_commands(self._patience_s()))
            self._take_shots()
            self._collect()
            self._work_ahead()
            self._show()
            self._show_neighbours()
            self._write_timeline()
            self._look_after_faces()
            self.state.tell(self.desk, self.settings_of, rests=self._rests)

    def close(self) -> None:
        """Finish what has begun, and make everything safe. Raises `InputError` if it cannot be
        written."""
        self.output.close()
        try:
            self._visited(self.output.collect())
        finally:
            self.keeper.keep(self.desk.timeline, durable=True)
            self.keeper.wait()

    def facts(self) -> dict[str, str | int | float | bool | None]:
        """What was made, for the run's result."""
        done = sum(self.output.rendered.runs(self.settings_of)[1::2])
        return {
            "frames": self.desk.frames,
            "rendered": self.output.rendered_count,
            "done": done,
            "left": self.desk.frames - done,
            "keys": len(self.desk.timeline.keys),
        }

    def settings_of(self, frame: int) -> Settings:
        """What that frame is composed by now."""
        return self.settings_in(self.desk.timeline, frame)

    @property
    def _is_forgotten(self) -> bool:
        return not self.desk.processing and is_forgotten(self.context)

    @property
    def _quiet_s(self) -> float:
        return time.monotonic() - self.screen.asked_at

    @property
    def _rests(self) -> bool:
        return self._quiet_s >= REST_S

    def _patience_s(self) -> float:
        """How long nothing is due but answering commands and collecting what threads have done."""
        due = [after - self._quiet_s for after in (REST_S, SAFE_AFTER_S)]
        due.append(self.state.due_in_s())
        return min([IDLE_S, *(seconds for seconds in due if seconds > 0)])

    def _obey(self, commands: Sequence[Command]) -> None:
        """Carry all out before anything is drawn: what came in between is never seen."""
        for command in commands:
            if isinstance(command, MergeCommand):
                self._carry_out(command)
            elif isinstance(command, ViewerLeft):
                self._say_goodbye(command)
        if any(isinstance(command, MergeCommand) for command in commands):
            self.screen.asked_at = time.monotonic()
            self.keeper.keep(self.desk.timeline)

    def _carry_out(self, command: MergeCommand) -> None:
        if isinstance(command, MergeView) and command.sender not in self.desk.seats:
            self.state.forget()  # who comes knows nothing
        try:
            self.desk = carry_out(self.desk, command, time.monotonic())
        except FacewrightError as error:
            self._refuse(error, command)
        self.desk = self.desk.answered(command)

    def _say_goodbye(self, left: ViewerLeft) -> None:
        self.desk = self.desk.without(left)
        self.screen.forget(left.sender)
        self.strip.forget(left.sender)

    def _refuse(self, error: FacewrightError, command: MergeCommand) -> None:
        self.context.tell(
            MergeRefused(command_seq=command.seq, message=error.message, remedy=error.remedy),
            command.sender,
        )

    def _take_shots(self) -> None:
        if self.shots is None:
            return
        try:
            found = self.shots.take()
        except FacewrightError as error:
            self.context.warn(error.message, error.remedy)
            return
        if found is not None:
            self.desk = self.desk.with_cuts(found)

    def _collect(self) -> None:
        """Take in what was written meanwhile; begin or end rendering the rest as wanted."""
        is_writing = self.output.is_writing  # asked first: what ends now is collected, too
        try:
            self._visited(self.output.collect())
            if self.desk.processing and not is_writing:
                self._begin_or_end_rest()
        except FacewrightError as error:
            self.desk = replace(self.desk, processing=False)
            self._writing_failed(error)
        if not self.desk.processing:
            self.has_begun_rest = False
            self.output.end_rest()

    def _begin_or_end_rest(self) -> None:
        begun = self.output.begin_rest(self.desk.frame, self.settings_of)
        if not begun and not self.has_begun_rest:
            done = "all frames that can be read are rendered already"
            self.context.tell(MergeRefused(command_seq=0, message=done))
        self.has_begun_rest = begun
        self.desk = replace(self.desk, processing=begun)

    def _work_ahead(self) -> None:
        """Have the shown frame read first, then, when there is time, those that may be next."""
        frame = self.desk.frame
        ahead = self.context.options["ahead"] if self._rests and not self.desk.processing else 0
        last = min(frame + ahead, self.desk.frames - 1)
        before = [frame - 1] if ahead and frame else []
        self.frames.want([*range(frame, last + 1), *before])

    def _show(self) -> None:
        frame = self.desk.frame
        settings = self.settings_of(frame)
        try:
            composed = self.screen.show(self.desk, settings, rests=self._rests)
        except FacewrightError as error:  # the picture's file cannot be written
            self._writing_failed(error)
            return
        if self.screen.shows(frame):
            self._visited([frame])
        if composed is None or composed.frame is None or not self._rests:
            return
        if time.monotonic() < self.writes_again_at:
            return
        try:
            self.output.write(frame, settings, composed.frame)
        except FacewrightError as error:
            self._writing_failed(error)

    def _show_neighbours(self) -> None:
        try:
            self.strip.collect()
        except FacewrightError as error:
            self._writing_failed(error)
        if not self._rests or not self.screen.shows(self.desk.frame):
            return
        for viewer, seat in self.desk.seats.items():
            if seat.view.strip_frames:
                self.strip.show(viewer, self._row(seat.view))

    def _row(self, view: MergeView) -> Row:
        frame = self.desk.frame
        first = max(0, frame - view.strip_frames)
        last = min(self.desk.frames - 1, frame + view.strip_frames)
        settings = tuple(map(self.settings_of, range(first, last + 1)))
        pictures = tuple(starmap(self.output.picture, enumerate(settings, start=first)))
        width, height = self.screen.frame_wh
        width_px = max(1, round(view.strip_height * width / height))
        return Row(frame, first, pictures, settings, (width_px, view.strip_height))

    def _visited(self, frames: Sequence[int]) -> None:
        for frame in frames:
            self.desk = self.desk.amended(partial(visit, first=frame))

    def _look_after_faces(self) -> None:
        """Frames that are replaced are read again; faces are those that the session began with."""
        if not self._rests:
            return
        stamp, before = file_stamp(self.context.workspace.dst.aligned), self.faces_stamp
        self.faces_stamp = stamp
        if before is not None and stamp != before:
            self.context.warn(
                f"faces in {self.context.workspace.dst.aligned} were changed; this session goes on"
                " with those that it found",
                "end it and start it again: nothing is lost, and what changed is rendered again",
            )

    def _write_timeline(self) -> None:
        """Edits are written when they are made (`_obey`); what is rendered and seen, and all of it
        for a power cut, from time to time."""
        now = time.monotonic()
        if self._quiet_s >= SAFE_AFTER_S and now >= self.safe_again_at:
            self.safe_again_at = now + SAFE_AFTER_S
            self.keeper.keep(self.desk.timeline, durable=True)

    def _writing_failed(self, error: FacewrightError) -> None:
        self.writes_again_at = time.monotonic() + TRY_AGAIN_S
        self.context.warn(error.message, error.remedy)
