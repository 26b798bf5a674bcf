"""Warnings that a run of days must not fill its journal with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.protocol.errors import InputError


class ToldOnce:
    """Hears of what goes wrong without being a reason to end: a full disk, mostly. warn: is told
    (what, remedy) of each subject's first."""

    def __init__(self, warn: Callable[[str, str], None]) -> None:
        self._warn = warn
        self._subjects: set[str] = set()

    @contextmanager
    def of(self, subject: str) -> Iterator[None]:
        """Do something; if it raises `InputError`, that is told and the rest of it left out."""
        try:
            yield
        except InputError as error:
            self.tell(subject, error.message, error.remedy)

    def tell(self, subject: str, text: str, remedy: str) -> None:
        """Warn, unless something of that subject was told before."""
        if subject not in self._subjects:
            self._subjects.add(subject)
            self._warn(text, remedy)
