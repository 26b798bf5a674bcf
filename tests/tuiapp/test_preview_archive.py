from __future__ import annotations

from pathlib import Path

from engine.protocol.model_files import PREVIEW_HISTORY
from tuiapp.bridge.preview_archive import SEEN_KEPT, PreviewArchive
from tuiapp.widgets.training_preview import columns_of


def test_pictures_of_the_folder_and_of_this_session_stand_in_one_row(tmp_path: Path) -> None:
    folder = tmp_path / PREVIEW_HISTORY / "saehd-masked"
    folder.mkdir(parents=True)
    (folder / "00000030.jpg").write_bytes(b"kept")
    (folder / "notes.txt").write_bytes(b"nothing of ours")
    archive = PreviewArchive(tmp_path)
    archive.remember("SAEHD masked", 50, b"seen")
    archive.look()
    assert archive.iterations("SAEHD masked") == [30, 50]
    assert archive.read("SAEHD masked", 30) == b"kept"
    assert archive.read("SAEHD masked", 50) == b"seen"
    assert archive.iterations("SAEHD") == []


def test_a_picture_that_is_gone_is_none(tmp_path: Path) -> None:
    folder = tmp_path / PREVIEW_HISTORY / "saehd"
    folder.mkdir(parents=True)
    (folder / "00000030.jpg").write_bytes(b"kept")
    archive = PreviewArchive(tmp_path)
    archive.look()
    (folder / "00000030.jpg").unlink()
    assert archive.read("SAEHD", 30) is None


def test_a_long_session_keeps_few_pictures_from_its_first_to_its_last(tmp_path: Path) -> None:
    archive = PreviewArchive(tmp_path)
    for iteration in range(0, 5000, 10):
        archive.remember("SAEHD", iteration, b"x")
    kept = archive.iterations("SAEHD")
    assert len(kept) <= SEEN_KEPT
    assert (kept[0], kept[-1]) == (0, 4990)


def test_columns_are_named_as_deepfacelabs_pages_have_them() -> None:
    assert columns_of("SAEHD masked") == ("src", "src drawn", "dst", "dst drawn", "swapped")
    assert columns_of("SAEHD masked src-src") == ("src", "src drawn")
    assert columns_of("SAEHD pred") == ("dst", "swapped")
