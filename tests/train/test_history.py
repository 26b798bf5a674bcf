from __future__ import annotations

import pytest

from engine.protocol.errors import InputError
from engine.protocol.history import HISTORY_NAME, LossPoint, read_history
from engine.train.history import HistoryWriter

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
    import sqlite3

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
