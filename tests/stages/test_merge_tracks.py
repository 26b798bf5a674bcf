"""Merging gives each face of a frame the look that the timeline has for it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.protocol.timeline import Timeline
from engine.protocol.timeline_edits import set_cuts, set_look
from engine.protocol.timeline_file import write_timeline
from engine.protocol.workspace import Workspace
from tests.merge.workspace import made_landmarks, merge_workspace, write_face_of
from tests.stages.test_merge import merge, picture

STEMS = ["00001", "00002", "00003"]


def two_people(root: Path) -> Workspace:
    """Three frames of two people; the second one's faces are listed in varying order."""
    workspace = merge_workspace(root, frames=3, without_face=(1, 2, 3))
    left, right = made_landmarks(), made_landmarks(left=80, side=24)
    for stem, faces in zip(STEMS, ((left, right), (right, left), (left, right)), strict=True):
        for number, face in enumerate(faces):
            write_face_of(workspace, f"{stem}.png", number=number, landmarks=face)
    return workspace


def halves_changed(workspace: Workspace, stem: str) -> tuple[bool, bool]:
    """Whether the left and the right person of a frame have another face."""
    before = cv2.imread(str(workspace.dst.frames / f"{stem}.png"))
    changed = (picture(workspace, stem) != before).any(axis=2)
    return bool(np.any(changed[:, :65])), bool(np.any(changed[:, 75:]))


def merged(workspace: Workspace, timeline: Timeline) -> list[tuple[bool, bool]]:
    path = workspace.state / "it.timeline.toml"
    write_timeline(path, timeline, STEMS)
    merge(workspace, timeline=str(path))
    return [halves_changed(workspace, stem) for stem in STEMS]


def test_one_persons_look_follows_that_person(tmp_path: Path) -> None:
    timeline = set_look(Timeline(), 0, {"mode": "original"}, "b")
    assert merged(two_people(tmp_path), timeline) == [(True, False)] * 3


def test_one_persons_look_ends_with_the_shot(tmp_path: Path) -> None:
    timeline = set_look(set_cuts(Timeline(), [2]), 0, {"mode": "original"}, "a")
    assert merged(two_people(tmp_path), timeline) == [(False, True), (False, True), (True, True)]
