"""The history: rows are only ever added, beside training.

Traps of the training spec: T7 (all losses were rewritten at every save), T19 (saving held up
training).
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from engine.protocol.errors import InputError
from engine.protocol.history import (
    HISTORY_NAME,
    LossPoint,
    Mark,
    open_history,
    pack_losses,
    read_history,
    read_marks,
)
from engine.train import history
from engine.train.history import HistoryWriter
from tests.support.disks import small_disk

NAMES = ("src", "dst")


def add(writer, *iterations):
    for iteration in iterations:
        writer.add(LossPoint(iteration, 1000.0 + iteration, 12.5, (0.5, iteration / 4)))


def test_readers_see_what_was_committed_while_the_writer_goes_on(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        add(writer, 1, 2)
        writer.commit()
        add(writer, 3)
        points = read_history(tmp_path / HISTORY_NAME)
    assert [point.iteration for point in points] == [1, 2]
    assert points[1].losses == (0.5, 0.5)
    assert points[1].step_ms == 12.5


def test_rows_beyond_the_iteration_that_training_goes_on_from_are_deleted(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        add(writer, 1, 2, 3, 4)
        writer.commit()
    with HistoryWriter(tmp_path, 2, NAMES) as writer:
        add(writer, 3)
        writer.commit()
    points = read_history(tmp_path / HISTORY_NAME)
    assert [point.iteration for point in points] == [1, 2, 3]


def test_a_damaged_history_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / HISTORY_NAME).write_bytes(b"no database" * 500)
    with pytest.raises(InputError, match="history"):
        HistoryWriter(tmp_path, 0, NAMES)
    assert (tmp_path / HISTORY_NAME).read_bytes().startswith(b"no database")


def test_what_could_not_be_committed_is_kept_and_committed_later(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        writer._connection.execute("PRAGMA busy_timeout = 0")
        other = sqlite3.connect(tmp_path / HISTORY_NAME)
        other.execute("BEGIN EXCLUSIVE")
        add(writer, 1)
        with pytest.raises(InputError):
            writer.commit()
        other.rollback()
        other.close()
        writer.commit()
    assert [p.iteration for p in read_history(tmp_path / HISTORY_NAME)] == [1]


def test_rows_of_steps_whose_weights_are_gone_are_set_aside(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        add(writer, 1, 2, 3)
        writer.commit()
        add(writer, 4)
        writer.rewind(2)
        writer.commit()
    with closing(open_history(tmp_path / HISTORY_NAME)) as connection:
        undone = connection.execute("SELECT iteration, losses FROM undone").fetchall()
    assert undone == [(3, pack_losses((0.5, 0.75)))]
    assert [point.iteration for point in read_history(tmp_path / HISTORY_NAME)] == [1, 2]


def test_the_smoothed_loss_is_the_mean_of_the_last_200_sums_also_in_the_next_run(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        assert writer.smoothed_loss is None
        add(writer, *range(1, 301))
        expected = sum(0.5 + i / 4 for i in range(101, 301)) / 200
        assert writer.smoothed_loss == pytest.approx(expected)
    with HistoryWriter(tmp_path, 300, NAMES) as writer:
        assert writer.smoothed_loss == pytest.approx(expected)
    with HistoryWriter(tmp_path, 2, NAMES) as writer:
        assert writer.smoothed_loss == pytest.approx((0.75 + 1.0) / 2)


def test_what_was_added_last_is_on_disk_when_the_writer_is_left(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        add(writer, 1)
        writer.mark(Mark(1, 5.0, "backup", "backup a"))
    assert [point.iteration for point in read_history(tmp_path / HISTORY_NAME)] == [1]
    assert read_marks(tmp_path / HISTORY_NAME) == [Mark(1, 5.0, "backup", "backup a")]


def test_on_a_disk_that_stays_full_rows_wait_in_bounded_number_and_a_mark_tells(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(history, "MOST_PENDING", 1000)
    with small_disk(tmp_path / "disk", "256k") as disk:
        with HistoryWriter(disk, 0, NAMES) as writer:
            with (disk / "filler").open("wb") as file, pytest.raises(OSError):
                file.write(bytes(1 << 20))
            for iteration in range(1, 10_001):
                add(writer, iteration)
                if iteration % 500 == 0:
                    with pytest.raises(InputError, match="history"):
                        writer.commit()
            (disk / "filler").unlink()
            writer.commit()
        recorded = [point.iteration for point in read_history(disk / HISTORY_NAME)]
        assert 400 < len(recorded) <= 1001
        assert recorded[-1] == 10_000
        (mark,) = read_marks(disk / HISTORY_NAME)
        assert mark.kind == "gap"
        assert str(10_000 - len(recorded)) in mark.text


def test_a_history_whose_writer_was_killed_in_the_middle_of_a_commit_can_be_read(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        add(writer, 1, 2)
        writer.commit()
    kill_in_commit = (
        "import os, sqlite3, sys;"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('PRAGMA cache_size=1');"
        "c.execute('BEGIN');"
        "c.executemany('INSERT INTO steps VALUES (?,0,0,?)', [(i, bytes(900)) for i in"
        " range(3, 400)]);"
        "os.kill(os.getpid(), 9)"
    )
    path = tmp_path / HISTORY_NAME
    subprocess.run([sys.executable, "-c", kill_in_commit, str(path)], check=False)
    assert path.with_name(f"{HISTORY_NAME}-journal").exists(), "it was killed in the middle"
    assert [point.iteration for point in read_history(path)] == [1, 2]


def test_training_does_not_wait_for_a_commit_that_is_held_up_and_nothing_is_lost(tmp_path):
    with HistoryWriter(tmp_path, 0, NAMES) as writer:
        reader = sqlite3.connect(tmp_path / HISTORY_NAME)
        reader.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        for iteration in range(1, 5):
            add(writer, iteration)
            writer.commit(wait=False)
        assert time.monotonic() - begun < 1, "the writer's patience with readers is 5 s"
        reader.rollback()
        reader.close()
        writer.commit()
        points = read_history(tmp_path / HISTORY_NAME)
        assert [point.iteration for point in points] == [1, 2, 3, 4]


def test_a_failure_of_a_commit_not_waited_for_is_raised_at_the_latest_by_the_next(tmp_path):
    with small_disk(tmp_path / "disk", "128k") as disk, HistoryWriter(disk, 0, NAMES) as writer:
        with (disk / "filler").open("wb") as file, pytest.raises(OSError):
            file.write(bytes(1 << 20))
        add(writer, *range(1, 3000))
        with pytest.raises(InputError, match="history"):
            writer.commit(wait=False)  # the thread may have failed by the end of the call
            writer.commit()
        (disk / "filler").unlink()
        add(writer, 3000)
        writer.commit()
        assert len(read_history(disk / HISTORY_NAME)) == 3000
