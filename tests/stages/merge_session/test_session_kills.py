"""Engines and apps of a session killed at any moment, thirty times each: nothing that was told is
lost, nothing that was finished is done again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.protocol.events import MergeShown, MergeState
from engine.protocol.merge_commands import MergeEdit, MergeKey, MergeProcess, MergeView
from engine.protocol.timeline import Timeline, look_at
from engine.protocol.timeline_file import read_timeline, timeline_path
from engine.protocol.workspace import Workspace, list_images
from tests.merge.workspace import merge_workspace
from tests.stages.merge_session.viewing import SocketViewer, quick_session
from tests.support.pixel_terminal import pixel_terminal

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1200)]

KILLS = 30
FRAMES = 12
VIEW = MergeView(width=120, height=80)


@dataclass
class Known:
    """What a viewer may rely on: of each frame the edits (seq, amount) that were sent, in order;
    the newest answered seq; the frames that were told to be done as they are now."""

    edits: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    answered: int = 0
    done: set[int] = field(default_factory=set)

    def sent(self, edit: MergeEdit) -> None:
        amount = edit.changes["erode_mask_modifier"]
        self.edits.setdefault(edit.frame, []).append((edit.seq, amount))
        self.done.discard(edit.frame)

    def take(self, event: object) -> None:
        if isinstance(event, MergeShown):
            self.answered = max(self.answered, event.answered)
        elif isinstance(event, MergeState):
            self.done = {frame for frame in frames_of(event) if self.is_answered(frame)}

    def is_answered(self, frame: int) -> bool:
        return all(seq <= self.answered for seq, _ in self.edits.get(frame, []))

    def possible(self, frame: int) -> set[int]:
        """What the frame's mask can be eroded by, if nothing that was told is lost."""
        edits = self.edits.get(frame, [])
        kept = [amount for seq, amount in edits if seq <= self.answered][-1:] or [0]
        return {*kept, *(amount for seq, amount in edits if seq > self.answered)}


def frames_of(state: MergeState) -> set[int]:
    """Those that are done."""
    found: set[int] = set()
    first = 0
    for number, length in enumerate(state.done):
        found |= set(range(first, first + length)) if number % 2 else set()
        first += length
    return found


def timeline_of(workspace: Workspace) -> Timeline:
    stems = [path.stem for path in list_images(workspace.dst.frames)]
    timeline = read_timeline(timeline_path(workspace, "new", "quick96"), stems)
    assert timeline is not None
    return timeline


def test_what_a_killed_engine_told_is_kept_and_what_it_finished_is_not_done_again(
    tmp_path: Path, share_of_kills: float
) -> None:
    workspace, chance, known = merge_workspace(tmp_path, frames=FRAMES), random.Random(5), Known()
    seq = 0
    for kill in range(round(KILLS * share_of_kills)):
        with quick_session(workspace) as session:
            viewer = SocketViewer(session.run)
            viewer.send(VIEW)
            before = set(known.done)
            assert before <= frames_of(viewer.first(MergeState)), kill
            if not kill:  # each frame has a look of its own
                viewer.send(*(MergeKey(frame, "add", seq=frame + 1) for frame in range(FRAMES)))
                viewer.first(MergeShown, lambda shown: shown.answered >= FRAMES)
                seq = FRAMES
            known.answered = seq  # what is there now is there to stay
            known.edits = {
                frame: [(0, look_at(timeline_of(workspace), frame).erode_mask_modifier)]
                for frame in range(FRAMES)
            }
            heard = len(viewer.heard)
            for _ in range(chance.randrange(1, 12)):
                seq += 1
                edit = MergeEdit(
                    chance.randrange(FRAMES),
                    {"erode_mask_modifier": chance.randrange(1, 99)},
                    seq=seq,
                )
                known.sent(edit)
                viewer.send(edit, *[MergeProcess(on=True)][: chance.randrange(2)])
                viewer.listen(chance.random() * 0.1)
                for event in viewer.heard[heard:]:
                    known.take(event)
                heard = len(viewer.heard)
            session.kill()
            viewer.listen(1)  # what it told before
            for event in viewer.heard[heard:]:
                known.take(event)
            viewer.close()
        timeline = timeline_of(workspace)
        for frame in range(FRAMES):
            amount = look_at(timeline, frame).erode_mask_modifier
            assert amount in known.possible(frame), (kill, frame, known)


@pytest.mark.terminal
def test_a_killed_app_takes_nothing_along(tmp_path: Path, share_of_kills: float) -> None:
    workspace, chance = merge_workspace(tmp_path, frames=2), random.Random(6)
    with quick_session(workspace) as session:
        viewer = SocketViewer(session.run)
        viewer.send(VIEW)
        amount = 0
        for kill in range(round(KILLS * share_of_kills)):
            presses = chance.randrange(1, 6)
            with pixel_terminal(workspace.root, columns=80, rows=24) as terminal:
                terminal.wait_for("running")
                terminal.type("\x1bOR")  # F3
                terminal.wait_for_picture(since=0)
                for _ in range(presses):
                    terminal.type("w")
                    terminal.listen(chance.random() * 0.1)
            since = len(viewer.heard)
            viewer.send(VIEW)  # what is there after all that was sent
            viewer.send(MergeKey(0, "add", seq=kill + 1))
            shown = viewer.first(
                MergeShown, lambda shown, seq=kill + 1: shown.answered == seq, since
            )
            found = shown.look["erode_mask_modifier"]
            assert amount <= found <= amount + presses
            assert look_at(timeline_of(workspace), 0).erode_mask_modifier == found
            amount = found
        assert amount > KILLS * share_of_kills
