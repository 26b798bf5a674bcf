"""The stream of batches that a run trains on, which changes when its options do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from engine.train.batches import BatchStream
from engine.train.samples import Sampling


class Opener(Protocol):
    """Opens streams over certain faces, one at a time (`engine.train.sources.Sources`)."""

    def open(self, sampling: Sampling, first: int) -> BatchStream: ...

    def release(self) -> None: ...


class Feed:
    """The current stream. Use as a context.

    opener_for: by a model's options the faces it trains on; the same object for the same faces.
    Raises `InputError` if they cannot be read. first: number of the first sample of each side.
    """

    def __init__(
        self,
        opener_for: Callable[[Mapping[str, Any]], Opener],
        options: Mapping[str, Any],
        sampling: Sampling,
        first: int,
    ) -> None:
        self._opener_for = opener_for
        self._opener = opener_for(options)
        self.sampling = sampling
        self.batches = self._opener.open(sampling, first)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.batches.__exit__(kind, error, trace)

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise `InputError` if the faces of these options cannot be read."""
        self._opener_for(options)

    def follow(self, options: Mapping[str, Any], sampling: Sampling, *, anew: bool = False) -> None:
        """Go on with what these options want; `anew`: from sample 0. Nothing happens if that is
        what runs already."""
        opener = self._opener_for(options)
        if opener is self._opener and sampling == self.sampling and not anew:
            return
        first = 0 if anew else self.batches.drawn
        self.batches.__exit__(None, None, None)  # before the next: both hold pictures
        if opener is not self._opener:
            self._opener.release()
        self._opener, self.sampling = opener, sampling
        self.batches = opener.open(sampling, first)
