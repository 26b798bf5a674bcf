"""The stage faceset-index."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.protocol.errors import InputError, Stopped
from engine.protocol.face_index import index_path, opened_index
from engine.protocol.workspace import Workspace
from engine.stages.faceset_index.run import run
from tests.faces.face_files import plain_jpeg
from tests.faces.made_facesets import face_jpeg, make_faces
from tests.support.context import RecordingContext, context_for
from tests.support.tree import tree


def index(root: Path, **options: Any) -> RecordingContext:
    context: RecordingContext = context_for(root, "faceset-index", workers="1", **options)
    run(context)
    return context


def test_a_faceset_is_indexed_once_and_only_changes_are_read_later(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 40)
    first = index(tmp_path)
    assert (first.facts["faces"], first.facts["read_now"]) == (40, 40)
    assert first.reported[-1] == (40, 40)
    (side.aligned / "00007_0.jpg").write_bytes(face_jpeg(99))
    second = index(tmp_path)
    assert (second.facts["faces"], second.facts["read_now"]) == (40, 1)


def test_a_face_whose_name_is_no_text_is_left_out_and_told(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 2)
    Path(os.fsdecode(os.fsencode(side.aligned) + b"/odd\xff.jpg")).write_bytes(face_jpeg(3))
    context = index(tmp_path)
    assert context.facts["faces"] == 2
    assert any("odd\N{REPLACEMENT CHARACTER}.jpg is left out" in text for text in context.warnings)


def test_no_face_file_is_changed(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 3)
    before = tree(side.frames)
    index(tmp_path, identity=True)
    assert tree(side.frames) == before


def test_identities_are_computed_when_asked_for_and_only_once(tmp_path: Path) -> None:
    make_faces(Workspace(tmp_path).dst, 3)
    assert index(tmp_path).facts["identified_now"] == 0
    assert index(tmp_path, identity=True).facts["identified_now"] == 3
    assert index(tmp_path, identity=True).facts["identified_now"] == 0
    with opened_index(index_path(Workspace(tmp_path), "dst")) as opened:
        assert opened is not None
        assert [len(blob) for _, blob in opened.blobs("identity")] == [512] * 3


def test_files_that_are_no_faces_are_told(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 1)
    (side.aligned / "plain.jpg").write_bytes(plain_jpeg())
    context = index(tmp_path)
    assert context.facts["no_faces"] == 1
    assert "plain.jpg is left out" in context.warnings[0]


def test_a_folder_without_any_face_is_refused(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    side.aligned.mkdir(parents=True)
    (side.aligned / "plain.jpg").write_bytes(plain_jpeg())
    with pytest.raises(InputError, match="none of the 1 files"):
        index(tmp_path)


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    make_faces(Workspace(tmp_path).dst, 60)
    context: RecordingContext = context_for(tmp_path, "faceset-index", workers="1")
    context.stop_after = 20
    with pytest.raises(Stopped):
        run(context)
    read_later = index(tmp_path).facts["read_now"]
    assert 0 < read_later <= 60 - 20
