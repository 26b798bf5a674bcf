"""What viewers are told of an engine that died without a word."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.protocol.events import Failed, Progress
from engine.protocol.workspace import Workspace
from engine.runtime.client.crash import crash_report
from engine.runtime.journal import JournalWriter
from engine.runtime.run_folder import (
    EngineProcess,
    Job,
    RunFolder,
    create_run,
    oom_kill_count,
)

OPTIONS = {"batch_size": 8, "adabelief": True, "precision": "bf16"}


def dead_run(root: Path, *, kills_then: int | None = None, log: str = "loading\n") -> RunFolder:
    """A training whose engine is gone; it held 3.5 GB when it last told how far it was."""
    run = create_run(Workspace(root), Job("train", str(root), OPTIONS))
    run.write_process(EngineProcess(2**22 + 1, 1.0, "here", kills_then))
    run.log_path.write_text(log)
    journal = JournalWriter(run.journal_path)
    journal.append(Progress(done=7, unit="iterations", memory_bytes=3_500_000_000))
    journal.close()
    return run


def test_a_dead_engine_is_told_of_with_the_memory_that_it_held_and_the_last_line_of_its_log(
    tmp_path: Path,
) -> None:
    report = crash_report(dead_run(tmp_path, kills_then=oom_kill_count()))
    assert "killed, out of memory, or a crash" in report.message
    assert "held 3.5 GB" in report.message and "loading" in report.message
    assert "goes on from the last save" in report.remedy and "--batch-size" not in report.remedy


@pytest.mark.skipif(oom_kill_count() is None, reason="this system does not count such kills")
def test_an_engine_gone_while_the_system_killed_for_memory_was_probably_killed_for_it(
    tmp_path: Path,
) -> None:
    before = (oom_kill_count() or 0) - 1
    report = crash_report(dead_run(tmp_path, kills_then=before))
    assert "probably killed by the system" in report.message
    assert "a smaller --batch-size, or --no-adabelief" in report.remedy
    assert "--precision" not in report.remedy


@pytest.mark.parametrize(
    "last_words",
    [
        "terminate called after throwing an instance of 'std::bad_alloc'\n  what(): bad_alloc",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 9. GiB for an array",
    ],
)
def test_an_engine_whose_log_says_that_memory_was_refused_died_of_that(
    tmp_path: Path, last_words: str
) -> None:
    report = crash_report(dead_run(tmp_path, log=f"loading\n{last_words}\n"))
    assert "refused memory" in report.message and "--batch-size" in report.remedy


def test_kills_for_memory_are_counted_where_the_system_tells(tmp_path: Path) -> None:
    counts = tmp_path / "vmstat"
    assert oom_kill_count(counts) is None
    counts.write_text("pgfault 12\noom_kill 3\nnuma_hit 4\n")
    assert oom_kill_count(counts) == 3
    counts.write_text("pgfault 12\n")
    assert oom_kill_count(counts) is None


def test_a_process_written_by_an_earlier_version_is_read(tmp_path: Path) -> None:
    run = dead_run(tmp_path)
    run.process_path.write_bytes(msgspec.json.encode({"pid": 5, "pid_started": 1.0, "host": "h"}))
    assert run.process() == EngineProcess(5, 1.0, "h", None)
    assert isinstance(crash_report(run), Failed)


def test_what_tensorflow_always_says_is_not_told_as_the_end_of_the_log(tmp_path: Path) -> None:
    chatter = "E0000 00:00:1795257832.617800   28482 meta_optimizer.cc:967] remapper failed: x"
    first = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR"
    quiet = crash_report(dead_run(tmp_path / "quiet", log=f"{first}\n{chatter}\n"))
    telling = crash_report(dead_run(tmp_path / "telling", log=f"Segmentation fault\n{chatter}\n"))
    assert "log ends" not in quiet.message
    assert "its log ends: Segmentation fault" in telling.message
