import pytest


@pytest.fixture(autouse=True)
def a_terminal_of_all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps in these tests write all colours wherever the tests are run."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    for name in ("TMUX", "TERM_PROGRAM", "FACEWRIGHT_GRAPHICS", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
