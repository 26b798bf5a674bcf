"""Frames read and their faces predicted, before they are needed; kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from engine.protocol.errors import FacewrightError

Wake = Callable[[], None]


class Sized(Protocol):
    """Something whose memory is counted."""

    @property
    def bytes_held(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


@dataclass(frozen=True)
class Unusable:
    """A frame that cannot be shown merged, and why."""

    error: FacewrightError

    @property
    def bytes_held(self) -> int:
        return 0


class FrameStore(Generic[Item]):
    """Loads wanted frames in a thread of its own, most wanted first, and keeps the frames used last
    within `limit_bytes` (always those wanted first and last loaded). Thread-safe.

    stamp: of a frame's file; another one means that the file was replaced.
    """

    def __init__(
        self,
        load: Callable[[int], Item],
        limit_bytes: int,
        wake: Wake,
        stamp: Callable[[int], object] = lambda frame: None,
    ) -> None:
        self._load = load
        self._stamp = stamp
        self._stamps: dict[int, object] = {}  # of those kept, from before they were read
        self._limit_bytes = limit_bytes
        self._wake = wake
        self._kept: OrderedDict[int, Item | Unusable] = OrderedDict()
        self._bytes: dict[int, int] = {}  # of those kept
        self._asked: tuple[int, ...] = ()
        self._wanted: tuple[int, ...] = ()  # of those asked for, what there is room for
        self._defect: BaseException | None = None
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="frames", daemon=True)
        self._thread.start()

    def get(self, frame: int) -> Item | Unusable | None:
        """The frame, if it is loaded as its file is now; a file that was replaced is loaded again.
        Raises what its loading died of, if that was a defect."""
        now = self._stamp(frame)
        with self._changed:
            if self._defect is not None:
                raise self._defect
            if frame in self._kept and self._stamps[frame] != now:
                self._drop(frame)
                self._changed.notify()
            if frame in self._kept:
                self._kept.move_to_end(frame)
            return self._kept.get(frame)

    def want(self, frames: Sequence[int]) -> None:
        """Load these next, in this order, in place of what was wanted so far."""
        with self._changed:
            if self._asked != tuple(frames):
                self._asked = self._wanted = tuple(frames)
                self._changed.notify()

    def measure(self, frame: int) -> None:
        """Count the memory of that frame again: it grew."""
        with self._changed:
            if frame in self._kept:
                self._count(frame)
                self._make_room(frame)

    def close(self) -> None:
        """End the thread, after the frame that it is at."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while (frame := self._next()) is not None:
            try:
                stamp = self._stamp(frame)
                loaded = self._loaded(frame)
            except BaseException as defect:  # noqa: BLE001 - handed to the thread that asks for frames
                with self._changed:
                    self._defect = defect
                self._wake()
                return
            self._keep(frame, loaded, stamp)
            self._wake()

    def _loaded(self, frame: int) -> Item | Unusable:
        try:
            return self._load(frame)
        except FacewrightError as error:
            return Unusable(error)

    def _next(self) -> int | None:
        """The most wanted frame that is not there, as soon as there is one; None at the end."""
        with self._changed:
            while not self._closing:
                for frame in self._wanted:
                    if frame not in self._kept:
                        return frame
                self._changed.wait()
        return None

    def _keep(self, frame: int, loaded: Item | Unusable, stamp: object) -> None:
        with self._changed:
            self._kept[frame], self._stamps[frame] = loaded, stamp
            self._count(frame)
            self._make_room(frame)

    def _drop(self, frame: int) -> None:
        del self._kept[frame], self._bytes[frame], self._stamps[frame]

    def _count(self, frame: int) -> None:
        self._bytes[frame] = self._kept[frame].bytes_held

    def _make_room(self, newest: int) -> None:
        """Drop what was not used for longest. What is loaded ahead does not push out what is wanted
        more: where there is only that, no more is wanted."""
        while sum(self._bytes.values()) > self._limit_bytes:
            oldest = next((one for one in self._kept if one not in self._wanted), None)
            if oldest is not None:
                self._drop(oldest)
            elif newest not in self._wanted[:-1]:
                return
            else:
                self._wanted = self._wanted[: self._wanted.index(newest) + 1]
