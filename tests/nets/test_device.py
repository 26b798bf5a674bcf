"""Which device the nets are given, and what is said of the others."""

from __future__ import annotations

import pytest
import tensorflow as tf

from engine.nets.device import prepare_device
from engine.protocol.errors import InputError


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """TensorFlow as it is on a machine with two GPUs; the list holds those it was told to use."""
    gpus = [tf.config.PhysicalDevice(f"/physical_device:GPU:{number}", "GPU") for number in (0, 1)]
    used: list[object] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda chosen, kind: used.extend(chosen))
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda count: None)
    for name, answer in (
        ("set_memory_growth", None),
        ("get_memory_growth", True),
        ("get_device_details", {"device_name": "a GPU"}),
    ):
        monkeypatch.setattr(tf.config.experimental, name, lambda *_, answer=answer: answer)
    return used


def prepared(device: str) -> list[str]:
    """What is warned of when that device is chosen."""
    warnings: list[str] = []
    prepare_device(device, lambda text, remedy: warnings.append(text))
    return warnings


def test_of_several_gpus_asked_for_one_is_used_and_the_user_is_told(two_gpus: list[object]) -> None:
    assert prepared("1,0") == ["--device 1,0: the nets run on GPU 1 alone, not on 0"]
    assert [gpu.name for gpu in two_gpus] == ["/physical_device:GPU:1"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("device", ["auto", "1", "0,0"])
def test_one_gpu_asked_for_is_used_without_a_word(two_gpus: list[object], device: str) -> None:
    assert prepared(device) == []
    assert len(two_gpus) == 1


def test_a_gpu_that_is_not_there_is_refused(two_gpus: list[object]) -> None:
    with pytest.raises(InputError, match="no GPU 2"):
        prepared("0,2")
