from __future__ import annotations

import numpy as np
import pytest

from engine.train.preflight import (
    DiskRoom,
    LargestBatch,
    find_largest_batch,
    hours_for,
    model_size,
    saves_wanted,
)


class Machine:
    """Fits batches up to a limit, for so many tries."""

    def __init__(self, limit: int, tries: int = 1000) -> None:
        self.limit = limit
        self.tries = tries
        self.tried: list[int] = []

    def fits(self, size: int) -> bool | None:
        if len(self.tried) == self.tries:
            return None
        self.tried.append(size)
        return size <= self.limit


def test_batches_are_doubled_and_then_halved_in_on_the_largest_that_fits() -> None:
    machine = Machine(11)
    found, searched = find_largest_batch(4, 256, machine.fits)
    assert (found, searched) == (LargestBatch(11, 12), True)
    assert machine.tried == [4, 8, 16, 12, 10, 11]


def test_large_batches_are_told_apart_to_an_eighth() -> None:
    machine = Machine(100)
    found, searched = find_largest_batch(8, 256, machine.fits)
    assert searched and found == LargestBatch(96, 104)
    assert machine.tried == [8, 16, 32, 64, 128, 96, 112, 104]


@pytest.mark.parametrize("limit", range(40))
def test_what_is_found_fits_and_the_next_that_was_tried_does_not(limit: int) -> None:
    found, searched = find_largest_batch(8, 32, Machine(limit).fits)
    assert searched
    assert found.fits <= limit
    assert found.too_large is None if limit >= 32 else found.too_large > limit
    gap = (found.too_large or found.fits + 1) - found.fits
    assert gap <= max(1, found.fits // 8)


def test_a_chosen_batch_that_does_not_fit_is_halved_until_one_does() -> None:
    machine = Machine(3)
    assert find_largest_batch(16, 256, machine.fits)[0] == LargestBatch(3, 4)
    assert machine.tried == [16, 8, 4, 2, 3]


def test_where_not_even_one_face_fits_none_does() -> None:
    assert find_largest_batch(8, 256, Machine(0).fits) == (LargestBatch(0, 1), True)


def test_the_search_stops_at_the_largest_that_the_option_allows() -> None:
    machine = Machine(1000)
    assert find_largest_batch(100, 256, machine.fits) == (LargestBatch(256, None), True)
    assert machine.tried == [100, 200, 256]


def test_a_search_that_runs_out_of_time_says_what_it_knows_and_that_it_is_not_over() -> None:
    assert find_largest_batch(4, 256, Machine(11, tries=3).fits) == (LargestBatch(8, 16), False)


def test_a_models_size_tells_nets_from_optimizers() -> None:
    state = {
        "encoder": {"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float32)},
        "src_dst_opt": {"a_m": np.zeros((3, 4), np.float32), "iterations": np.zeros(1, np.int64)},
    }
    size = model_size(state)
    assert size.weights == {"encoder": 17}
    assert (size.weight_bytes, size.optimizer_bytes) == (68, 56)
    assert size.generation_bytes == 124


def test_room_on_the_disk_counts_the_best_save_the_one_being_written_and_backups() -> None:
    assert saves_wanted(keep=3, autobackup_hour=0) == 5
    assert saves_wanted(keep=3, autobackup_hour=2) == 29
    room = DiskRoom(generation_bytes=100, wanted=5, there=2, free_bytes=350)
    assert room.fitting == 3 and room.suffices
    assert not DiskRoom(generation_bytes=100, wanted=5, there=2, free_bytes=250).suffices


def test_hours_follow_from_the_rate() -> None:
    assert hours_for(7200, 2.0) == 1.0
