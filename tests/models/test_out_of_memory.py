from __future__ import annotations

import pytest

from engine.protocol.errors import StageError
from tests.models.tiny_saehd import MadeBatches, tiny_saehd


class TooLargeBatches(MadeBatches):
    """The machine has no memory for a batch."""

    batch_size = 2

    def next(self):
        raise MemoryError


def test_a_batch_that_the_machine_has_no_memory_for_is_told_as_too_little_memory() -> None:
    model = tiny_saehd()
    with pytest.raises(StageError, match="too little memory for 2 faces") as caught:
        model.train_step(TooLargeBatches())
    assert caught.value.code == "out-of-memory"
    assert model.iteration == 0


def test_a_change_of_options_without_memory_for_it_is_told_with_what_was_wanted(
    monkeypatch,
) -> None:
    model = tiny_saehd()

    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr(model.main, "follow", refuse)
    with pytest.raises(StageError, match="too little memory for adabelief True") as caught:
        model.change_options({"adabelief": True})
    assert caught.value.code == "out-of-memory"
