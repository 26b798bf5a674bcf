"""Copies in the trash of what is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import Workspace
from tests.support.disks import read_only


def test_a_kept_file_stays_in_its_place_and_its_copy_outlives_its_replacement(
    tmp_path: Path,
) -> None:
    path = tmp_path / "data_src" / "aligned" / "a.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")
    copies = TrashCopies(Workspace(tmp_path), "restore")
    copies.keep(path)
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new")
    assert copies.folder is not None
    assert (copies.folder / "data_src" / "aligned" / "a.jpg").read_bytes() == b"old"


def test_each_run_has_a_folder_of_its_own_and_none_without_files(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a")
    runs = [TrashCopies(Workspace(tmp_path), "restore") for _ in range(3)]
    for copies in runs[:2]:
        copies.keep(path)
    assert runs[0].folder != runs[1].folder
    assert runs[2].folder is None
    assert len(list(Workspace(tmp_path).trash.iterdir())) == 2


def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a")
    with read_only(tmp_path), pytest.raises(InputError) as refusal:
        TrashCopies(Workspace(tmp_path), "restore").keep(path)
    assert refusal.value.code == "read-only"
