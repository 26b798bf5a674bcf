"""Frames are loaded ahead of their use and kept within bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from engine.protocol.errors import InputError
from engine.stages.merge_session.frame_store import FrameStore, Unusable

WITHIN_S = 10


@dataclass
class Loaded:
    number: int
    bytes_held: int = 100


@dataclass
class Loader:
    """Loads at once, or, with `gate`, when it is opened; remembers what it loaded."""

    loaded: list[int] = field(default_factory=list)
    woken: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Event | None = None
    fail: Callable[[int], Exception] | None = None

    def __call__(self, number: int) -> Loaded:
        if self.gate is not None:
            assert self.gate.wait(WITHIN_S)
        self.loaded.append(number)
        if self.fail is not None:
            raise self.fail(number)
        return Loaded(number)

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.woken.acquire(timeout=WITHIN_S)


def store(loader: Loader, limit_bytes: int = 1000) -> FrameStore[Loaded]:
    return FrameStore(loader, limit_bytes, loader.woken.release)


def test_what_is_wanted_is_loaded_in_order_and_kept() -> None:
    loader = Loader()
    frames = store(loader)
    frames.want([3, 4, 2])
    loader.wait_for(3)
    assert loader.loaded == [3, 4, 2]
    assert frames.get(4) == Loaded(4)
    assert frames.get(5) is None
    frames.close()


def test_what_is_wanted_now_comes_before_what_was_wanted_earlier() -> None:
    loader = Loader(gate=threading.Event())
    frames = store(loader)
    frames.want([1, 2, 3, 4])
    frames.want([9])
    loader.gate.set()
    while frames.get(9) is None:
        loader.wait_for(1)
    assert len(loader.loaded) <= 2  # the first may have begun
    frames.close()


def test_the_frames_used_last_are_kept_when_there_is_no_more_room() -> None:
    loader = Loader()
    frames = store(loader, limit_bytes=300)
    for number in (1, 2, 3):
        frames.want([number])
        loader.wait_for(1)
    assert frames.get(1) is not None
    frames.want([4])
    loader.wait_for(1)
    assert [frames.get(number) is not None for number in (1, 2, 3, 4)] == [True, False, True, True]
    frames.close()


def test_what_is_loaded_ahead_never_pushes_out_what_is_wanted_more() -> None:
    loader = Loader()
    frames = store(loader, limit_bytes=250)
    frames.want([5, 6, 7, 8, 9])
    loader.wait_for(3)
    frames.close()
    assert loader.loaded == [5, 6, 7]
    assert frames.get(5) is not None and frames.get(6) is not None


def test_frames_that_grew_are_counted_again() -> None:
    loader = Loader()
    frames = store(loader, limit_bytes=300)
    frames.want([3, 1, 2])
    loader.wait_for(3)
    grown = frames.get(3)
    assert isinstance(grown, Loaded)
    grown.bytes_held = 220
    frames.measure(3)
    assert frames.get(3) is grown
    assert frames.get(1) is None and frames.get(2) is None
    frames.close()


def test_a_frame_larger_than_the_room_is_shown_all_the_same() -> None:
    loader = Loader()
    frames = store(loader, limit_bytes=10)
    frames.want([5, 6])
    loader.wait_for(1)
    assert frames.get(5) == Loaded(5)
    frames.close()
    assert loader.loaded == [5]


def test_a_frame_that_cannot_be_read_is_told_and_others_go_on() -> None:
    loader = Loader(fail=lambda number: InputError(f"frame {number} is damaged"))
    frames = store(loader)
    frames.want([1])
    loader.wait_for(1)
    found = frames.get(1)
    assert isinstance(found, Unusable) and "frame 1" in found.error.message
    loader.fail = None
    frames.want([2])
    loader.wait_for(1)
    assert frames.get(2) == Loaded(2)
    frames.close()


def test_a_defect_while_loading_reaches_who_asks() -> None:
    loader = Loader(fail=lambda number: ZeroDivisionError(number))
    frames = store(loader)
    frames.want([1])
    loader.wait_for(1)
    with pytest.raises(ZeroDivisionError):
        frames.get(1)
    frames.close()
