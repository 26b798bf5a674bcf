"""What can go wrong, for whom, and with which exit status.

Every error says what was wrong, with which value, and what to do about it (`remedy`). One border in
the engine (`runtime.host`) and one in the command line turn these into events and exit statuses.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_USAGE = 2
EXIT_INPUT = 3
EXIT_FAILED = 4
EXIT_STOPPED = 130


class FacewrightError(Exception):
    """Base of all errors meant for the user: a message, a remedy, an exit status, a stable code."""

    exit_status = EXIT_FAILED
    code = "failed"

    def __init__(self, message: str, remedy: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code:
            self.code = code


class UsageError(FacewrightError):
    """An unknown stage or option, a value out of range, a confirmation that is missing."""

    exit_status = EXIT_USAGE
    code = "usage"


class ConfirmationNeeded(UsageError):
    """The run would replace something; it goes on only with `--yes` (or the app's dialog)."""

    code = "confirmation-needed"


class InputError(FacewrightError):
    """Needed input is missing, unreadable, or there is no room to write the result."""

    exit_status = EXIT_INPUT
    code = "input"


class StageError(FacewrightError):
    """The stage could not finish its work."""


class Stopped(FacewrightError):
    """The user stopped the run; all finished work is saved."""

    exit_status = EXIT_STOPPED
    code = "stopped"

    def __init__(self, message: str = "stopped; all finished work is saved") -> None:
        super().__init__(message, "start the stage again to go on")
