"""What is said where a stage lacks what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol.errors import InputError
from engine.protocol.needs import check_needs
from engine.protocol.workspace import Workspace


@pytest.mark.parametrize(
    ("files", "what", "remedy"),
    [
        ([], "no faces in", "run faces-extract --side src first"),
        (["ann/a.jpg", "bob/b.JPG"], "2 sub-folders hold some, the first: ann", "faceset-pack"),
        (["00001.png"], "1 PNG files", "faceset-png-to-jpg --side src"),
        ([".hidden/a.jpg", "ann/notes.txt"], "no faces in", "run faces-extract --side src first"),
    ],
    ids=["empty", "persons", "png", "other"],
)
def test_where_there_are_no_faces_what_is_there_instead_is_told(
    files: list[str], what: str, remedy: str, tmp_path: Path
) -> None:
    for name in files:
        path = Workspace(tmp_path).src.aligned / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    with pytest.raises(InputError) as refusal:
        check_needs(("faces",), Workspace(tmp_path), {"side": "src"})
    assert what in refusal.value.message
    assert remedy in refusal.value.remedy


def test_frames_whose_names_are_no_text_are_told_before_anything_is_done(tmp_path: Path) -> None:
    frames = Workspace(tmp_path).src.frames
    frames.mkdir()
    for name in ("00001.png", "\udcfe.png"):
        (frames / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"1 frames .* not UTF-8") as refusal:
        check_needs(("frames",), Workspace(tmp_path), {"side": "src"})
    assert refusal.value.remedy.startswith("rename")
