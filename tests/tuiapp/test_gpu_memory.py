from __future__ import annotations

import sys
from types import SimpleNamespace

import pynvml
import pytest

from tuiapp.bridge.gpu_memory import gpu_gib


class MadeNvml:
    """Two GPUs of 24 and 8 GiB."""

    NVMLError = pynvml.NVMLError

    def nvmlInit(self) -> None:
        pass

    def nvmlShutdown(self) -> None:
        pass

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(total=(24, 8)[handle] * 2**30)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in vars(MadeNvml) if name.lower().startswith("nvml")]
    assert [name for name in names if not hasattr(pynvml, name)] == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setitem(sys.modules, "pynvml", MadeNvml())


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("device", "gib"), [("auto", 24), ("1", 8), ("0,1", 8), ("cpu", 0), ("7", 0)]
)
def test_the_smallest_gpu_that_is_named_counts(device: str, gib: float) -> None:
    assert gpu_gib(device) == gib


@pytest.mark.usefixtures("two_gpus")
def test_gpus_that_are_hidden_from_tensorflow_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert gpu_gib() == 0


def test_a_driver_that_does_not_tell_counts_as_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(MadeNvml):
        def nvmlDeviceGetCount(self) -> int:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setitem(sys.modules, "pynvml", Broken())
    assert gpu_gib() == 0
