"""Atomic writes and what a full or read-only disk does to them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, move, replacing, sweep_parts, write_atomically
from tests.support.disks import read_only, small_disk


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    target = tmp_path / "face.jpg"
    write_atomically(target, b"old")
    with pytest.raises(ZeroDivisionError), replacing(target) as beside:
        beside.write_bytes(b"new")
        raise ZeroDivisionError
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["face.jpg"]


@pytest.mark.parametrize("name", ["a" * 251 + ".jpg", "顔" * 83 + ".jpg"])
def test_a_file_whose_name_is_as_long_as_can_be_is_written(name: str, tmp_path: Path) -> None:
    write_atomically(tmp_path / name, b"face")
    assert (tmp_path / name).read_bytes() == b"face"
    assert len(list(tmp_path.iterdir())) == 1


def test_files_and_folders_are_moved_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "models" / "inner").mkdir(parents=True)
    (tmp_path / "models" / "inner" / "a").write_bytes(b"a")
    (tmp_path / "models" / "link").symlink_to("inner/a")
    (tmp_path / "face.jpg").write_bytes(b"face")
    with small_disk(tmp_path / "disk", "1m") as disk:
        for name in ("models", "face.jpg"):
            move(tmp_path / name, disk / name)
        assert (disk / "face.jpg").read_bytes() == b"face"
        assert (disk / "models" / "link").readlink() == Path("inner/a")
        assert (disk / "models" / "inner" / "a").read_bytes() == b"a"
        assert sorted(path.name for path in disk.iterdir()) == ["face.jpg", "models"]
    assert [path.name for path in tmp_path.iterdir()] == ["disk"]


def test_what_another_disk_has_no_room_for_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for path in (tmp_path / "models" / "a", tmp_path / "face.jpg"):
        path.write_bytes(bytes(2_000_000))
    with small_disk(tmp_path / "disk", "1m") as disk:
        for name in ("models", "face.jpg"):
            with pytest.raises(OSError):
                move(tmp_path / name, disk / name)
        assert not list(disk.iterdir())
    assert (tmp_path / "models" / "a").stat().st_size == 2_000_000
    assert (tmp_path / "face.jpg").stat().st_size == 2_000_000


def test_a_full_disk_is_an_input_error_and_the_old_file_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        write_atomically(disk / "a", b"old")
        with pytest.raises(InputError, match="disk is full") as caught:
            write_atomically(disk / "a", b"x" * 2_000_000)
        assert caught.value.code == "disk-full"
        assert (disk / "a").read_bytes() == b"old"
        assert [path.name for path in disk.iterdir()] == ["a"]


def test_a_read_only_folder_is_an_input_error(tmp_path: Path) -> None:
    with read_only(tmp_path), pytest.raises(InputError, match="not allowed to write"):
        write_atomically(tmp_path / "a", b"x")


def write_for_ever(target: str) -> None:
    for number in range(10**9):
        write_atomically(Path(target), bytes([number % 256]) * 100_000, durable=False)


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "state"
    for attempt in range(10):
        writer = multiprocessing.get_context("spawn").Process(
            target=write_for_ever, args=(str(target),)
        )
        writer.start()
        before = target.stat().st_mtime_ns if target.exists() else 0
        deadline = time.monotonic() + 30
        while (not target.exists() or target.stat().st_mtime_ns == before) and (
            time.monotonic() < deadline
        ):
            os.sched_yield()
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        data = target.read_bytes()
        assert len(data) == 100_000 and len(set(data)) == 1, attempt
        sweep_parts(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_an_encoder_that_died_of_a_full_disk_is_told_as_a_full_disk(tmp_path: Path) -> None:
    died = OSError("Broken pipe\n\nFFMPEG COMMAND: ...")
    assert str(disk_error(died, tmp_path / "a.mp4")).endswith("a.mp4: Broken pipe")
    with small_disk(tmp_path / "disk", "64k") as disk:
        (disk / "other").write_bytes(bytes(64 * 1024))
        assert disk_error(died, disk / "a.mp4").code == "disk-full"
