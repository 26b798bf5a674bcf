from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from engine.protocol.history import SCHEMA, pack_losses
from engine.protocol.loss_columns import read_loss_columns

Row = tuple[int, float, float, bytes]


def row(iteration: int, *losses: float) -> Row:
    return iteration, 0.0, 1.0, pack_losses(losses or (iteration / 4, 0.5))


def made_history(folder: Path, rows: list[Row]) -> Path:
    path = folder / "history.sqlite"
    with sqlite3.connect(path) as history:
        history.executescript(SCHEMA)
        history.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
    history.close()
    return path


def test_losses_come_as_columns_in_the_order_of_their_iterations(tmp_path: Path) -> None:
    path = made_history(tmp_path, [row(n) for n in (3, 1, 2)])
    columns = read_loss_columns(path, 2)
    assert list(columns.iterations) == [1, 2, 3]
    assert list(columns.losses) == [0.25, 0.5, 0.5, 0.5, 0.75, 0.5]


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = made_history(tmp_path, [row(n) for n in range(1, 50)])
    assert list(read_loss_columns(path, 2, after=47).iterations) == [48, 49]


def test_gaps_and_rows_with_another_number_of_losses_are_passed_over(tmp_path: Path) -> None:
    path = made_history(tmp_path, [row(1), row(2, 1.0), row(3), row(70_000), row(70_001)])
    columns = read_loss_columns(path, 2)
    assert list(columns.iterations) == [1, 3, 70_000, 70_001]
    assert list(columns.losses[-2:]) == [70_001 / 4, 0.5]


def test_bytes_of_any_value_survive(tmp_path: Path) -> None:
    """SQLite joins them as text: zeros and what is no UTF-8 must not be touched."""
    losses = [(0.0, -0.0), (float("inf"), 1e-40), (-1.7e38, 3.3e-5)]
    path = made_history(tmp_path, [row(n, *pair) for n, pair in enumerate(losses, 1)])
    joined = b"".join(pack_losses(pair) for pair in losses)
    assert read_loss_columns(path, 2).losses.tobytes() == joined


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but long enough to see"])
def test_a_history_that_is_missing_empty_or_damaged_has_no_losses(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "history.sqlite"
    if content is not None:
        path.write_bytes(content)
    assert len(read_loss_columns(path, 2)) == 0


@pytest.mark.slow
def test_a_million_iterations_are_read_within_a_second(tmp_path: Path) -> None:
    blob = pack_losses((0.5, 0.25))
    path = made_history(tmp_path, [(n, 0.0, 1.0, blob) for n in range(1, 1_000_001)])
    began = time.process_time()
    columns = read_loss_columns(path, 2)
    took_s = time.process_time() - began
    assert len(columns) == 1_000_000
    assert took_s < 1.0
