"""Smoothing and its undo, killed before changes of files: no face lost, the next completes it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.faces.face_file import read_face_data
from engine.protocol.errors import InputError
from tests.stages.extracting import faces
from tests.stages.facesets import run_stage
from tests.stages.killing import Death, folder_in_memory, live
from tests.stages.shaking_faces import make_shaking_faces

pytestmark = pytest.mark.slow

FACES = 6
OPTIONS: dict[str, Any] = {"workers": "1"}


def contents(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in faces(root)}


def test_smoothing_killed_before_changes_of_files_is_completed_by_the_next_run(
    tmp_path: Path, share_of_kills: float
) -> None:
    with folder_in_memory(tmp_path) as folder:
        made, whole = folder / "made", folder / "whole"
        make_shaking_faces(made, FACES)
        shutil.copytree(made, whole)
        changes = live(whole, "landmarks-smooth", OPTIONS).changes
        assert changes > 3 * FACES
        for change in range(1, changes + 1, round(1 / share_of_kills)):
            root = folder / f"killed-{change}"
            shutil.copytree(made, root)
            assert live(root, "landmarks-smooth", OPTIONS, Death(change=change)).was_killed
            _assert_each_is_old_or_new(contents(root), contents(made), contents(whole))
            run_stage(root, "landmarks-smooth", confirmed=True, **OPTIONS)
            assert contents(root) == contents(whole), change
            run_stage(root, "landmarks-smooth", confirmed=True, work="undo", **OPTIONS)
            assert contents(root) == contents(made), change
            shutil.rmtree(root)


def test_undo_killed_before_changes_of_files_is_completed_by_the_next_undo(
    tmp_path: Path, share_of_kills: float
) -> None:
    with folder_in_memory(tmp_path) as folder:
        made, smoothed, undone = folder / "made", folder / "smoothed", folder / "undone"
        make_shaking_faces(made, FACES)
        shutil.copytree(made, smoothed)
        run_stage(smoothed, "landmarks-smooth", confirmed=True, **OPTIONS)
        shutil.copytree(smoothed, undone)
        options = {**OPTIONS, "work": "undo"}
        changes = live(undone, "landmarks-smooth", options).changes
        assert changes > 2 * FACES
        for change in range(1, changes + 1, round(1 / share_of_kills)):
            root = folder / f"killed-{change}"
            shutil.copytree(smoothed, root)
            assert live(root, "landmarks-smooth", options, Death(change=change)).was_killed
            _assert_each_is_old_or_new(contents(root), contents(made), contents(smoothed))
            with contextlib.suppress(InputError):  # all was done but telling so
                run_stage(root, "landmarks-smooth", confirmed=True, **options)
            assert contents(root) == contents(made), change
            shutil.rmtree(root)


def _assert_each_is_old_or_new(
    found: dict[str, bytes], old: dict[str, bytes], new: dict[str, bytes]
) -> None:
    assert found.keys() == old.keys()
    for name, data in found.items():
        assert data in (old[name], new[name])
        assert read_face_data(data) is not None
