"""The app with Textual's real driver on a pseudo terminal: pacing as the terminal sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.graphics.pty_terminal import PtyTerminal

pytestmark = pytest.mark.slow


def streamed(tmp_path: Path, ack_delay_s: float | None) -> tuple[PtyTerminal, dict[str, float]]:
    report = tmp_path / "report.json"
    terminal = PtyTerminal(ack_delay_s)
    terminal.run("-m", "tests.graphics.stream_app", "4", str(report), "200")
    facts = json.loads(report.read_text())
    assert facts["protocol"] == "sixel"
    return terminal, facts


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> tuple[PtyTerminal, dict[str, float]]:
    return streamed(tmp_path_factory.mktemp("fast"), ack_delay_s=0.0)


def test_a_slow_terminal_gets_at_most_two_frames_ahead_and_the_rest_is_dropped(
    tmp_path: Path,
) -> None:
    terminal, facts = streamed(tmp_path, ack_delay_s=0.4)
    assert terminal.most_unanswered <= 2
    assert 3 <= facts["sent"] <= 22
    assert facts["dropped"] > facts["sent"]
    assert facts["quality_level"] > 0


def test_a_fast_terminal_gets_many_frames(fast: tuple[PtyTerminal, dict[str, float]]) -> None:
    terminal, facts = fast
    assert terminal.most_unanswered <= 2
    assert facts["sent"] > 10  # in four seconds, on the busiest machine
    assert facts["lost"] == 0


def test_a_terminal_that_never_answers_still_gets_a_frame_now_and_then(tmp_path: Path) -> None:
    _, facts = streamed(tmp_path, ack_delay_s=None)
    assert facts["lost"] >= 1
    assert 3 <= facts["sent"] <= 9
    assert facts["lag_median_ms"] < 50


def test_every_picture_sent_is_a_whole_sixel_sequence(
    fast: tuple[PtyTerminal, dict[str, float]],
) -> None:
    terminal, _ = fast
    pictures = terminal.heard.split(b"\x1bP0;1;0q")[1:]
    assert pictures
    assert all(b"\x1b\\" in picture for picture in pictures)
    assert b"\xef\xbf\xbd" not in terminal.heard
