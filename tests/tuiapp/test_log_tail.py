from __future__ import annotations

from pathlib import Path

from tuiapp.bridge.log_tail import FIRST_READ_BYTES, LogTail, last_written


def test_lines_come_once_each_and_only_when_complete(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    tail = LogTail(log)
    assert tail.new_lines() == []
    log.write_bytes(b"one\ntw")
    assert tail.new_lines() == ["one"]
    with log.open("ab") as more:
        more.write(b"o\nthree\n")
    assert tail.new_lines() == ["two", "three"]
    assert tail.new_lines() == []


def test_of_a_long_log_only_the_end_is_read_beginning_with_a_whole_line(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_bytes(b"".join(b"line %06d\n" % n for n in range(100_000)))
    lines = LogTail(log).new_lines()
    assert lines[-1] == "line 099999"
    assert all(len(line) == len("line 000000") for line in lines)
    assert len(lines) <= FIRST_READ_BYTES / 12


def test_a_log_that_became_shorter_is_read_anew(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_bytes(b"old old old\n")
    tail = LogTail(log)
    tail.new_lines()
    log.write_bytes(b"new\n")
    assert tail.new_lines() == ["new"]


def test_of_a_progress_bar_the_last_state_is_shown() -> None:
    assert last_written("10%\r20%\r30%\r") == "30%"


def test_nothing_in_a_log_reaches_the_terminal_as_a_command() -> None:
    nasty = "\x1b[31mred\x1b[0m \x1b]0;title\x07\x1bPq#0\x1b\\ \x9b5n \x07bell"
    assert last_written(nasty) == "red  \N{REPLACEMENT CHARACTER}5n \N{REPLACEMENT CHARACTER}bell"
