"""What viewers learn of a model's folder without loading anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.protocol.errors import InputError
from engine.protocol.model_files import find_save, list_saves, newest_generation, saved_options


def make_save(path: Path, iteration: int, **more: object) -> Path:
    """A folder that looks like a save: a manifest and a file of 100 bytes."""
    path.mkdir(parents=True)
    facts = {"iteration": iteration, "options": {"archi": "df"}, "saved_at": float(iteration)}
    (path / "manifest.json").write_text(json.dumps({**facts, **more}))
    (path / "encoder.safetensors").write_bytes(bytes(100))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for iteration, loss in ((1, 0.9), (20, 0.2), (300, 0.4)):
        make_save(tmp_path / "generations" / f"{iteration:08d}", iteration, smoothed_loss=loss)
    make_save(tmp_path / "backups" / "AUTO-a", 20)
    snapshot = make_save(tmp_path / "snapshots" / "good", 1)
    (snapshot / "about.json").write_text('{"made_at": 5.0, "note": "before GAN"}')
    return tmp_path


def test_all_saves_are_listed_with_what_they_are(folder: Path) -> None:
    saves = list_saves(folder)
    assert [(save.kind, save.iteration) for save in saves] == [
        ("generation", 300),
        ("generation", 20),
        ("generation", 1),
        ("backup", 20),
        ("snapshot", 1),
    ]
    assert [save.iteration for save in saves if save.is_best] == [20]
    assert saves[-1].note == "before GAN"
    assert 100 < saves[0].bytes < 300


def test_what_is_no_save_is_left_out(folder: Path) -> None:
    make_save(folder / "generations" / "00000400.damaged-abc", 400)
    make_save(folder / "generations" / ".00000500.abcd.part", 500)
    (folder / "snapshots" / "empty").mkdir()
    torn = make_save(folder / "snapshots" / "torn", 7)
    (torn / "manifest.json").write_text('{"iteration": ')
    (folder / "backups" / "notes.txt").write_text("a file")
    assert len(list_saves(folder)) == 5
    assert newest_generation(folder) == folder / "generations" / "00000300"


def test_a_folder_without_saves_has_none(tmp_path: Path) -> None:
    assert list_saves(tmp_path / "nothing") == []
    assert newest_generation(tmp_path / "nothing") is None
    assert saved_options(tmp_path / "nothing") == {}


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("good", "snapshots/good"),
        ("AUTO-a", "backups/AUTO-a"),
        ("300", "generations/00000300"),
        ("00000020", "generations/00000020"),
        ("snapshot/good", "snapshots/good"),
    ],
)
def test_a_save_is_found_by_name_or_iteration(folder: Path, wanted: str, path: str) -> None:
    assert find_save(folder, wanted).path == folder / path


def test_a_name_that_two_saves_have_is_refused_unless_its_kind_is_told(folder: Path) -> None:
    make_save(folder / "snapshots" / "AUTO-a", 9)
    with pytest.raises(InputError, match="2 saves") as refused:
        find_save(folder, "AUTO-a")
    assert "backup/AUTO-a" in refused.value.remedy
    assert find_save(folder, "backup/AUTO-a").iteration == 20


def test_the_newest_saves_options_are_given(folder: Path) -> None:
    make_save(folder / "generations" / "00001000", 1000, options={"archi": "liae"})
    assert saved_options(folder) == {"archi": "liae"}


def test_options_of_a_newest_save_that_cannot_be_read_are_those_of_the_one_before(
    folder: Path,
) -> None:
    make_save(folder / "generations" / "00001000", 1000, options={"pretrain": True})
    (make_save(folder / "generations" / "00001001", 1001) / "manifest.json").write_text("torn")
    assert saved_options(folder) == {"pretrain": True}
