from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from engine.runtime.client import RunFolder
from engine.runtime.run_folder import EngineProcess
from tuiapp.bridge.machine_load import GpuLoad, MachineLoad, MachineMeter
from tuiapp.widgets.training_summary import fitted, load_words


def run_of(folder: Path, pid: int, host: str) -> RunFolder:
    run = RunFolder(folder)
    run.write_process(EngineProcess(pid, psutil.Process(os.getpid()).create_time(), host))
    return run


def test_without_a_gpu_the_engines_cpu_and_memory_are_told(tmp_path: Path) -> None:
    meter = MachineMeter(run_of(tmp_path, os.getpid(), socket.gethostname()), "cpu")
    first = meter.read()
    sum(n * n for n in range(500_000))
    second = meter.read()
    assert first.cpu is None
    assert second.cpu is not None and 0 < second.cpu <= 1
    assert second.memory_bytes is not None and second.memory_bytes > 10_000_000
    assert second.gpus == ()


def test_of_an_engine_that_has_ended_or_runs_elsewhere_nothing_is_told(tmp_path: Path) -> None:
    ended = run_of(tmp_path, 2**22 + 1, socket.gethostname())
    assert MachineMeter(ended, "auto").read() == MachineLoad()
    elsewhere = run_of(tmp_path, os.getpid(), "another-host")
    assert MachineMeter(elsewhere, "auto").read() == MachineLoad()
    assert MachineMeter(RunFolder(tmp_path / "none"), "auto").read() == MachineLoad()


class MadeNvml:
    """As `pynvml` on a machine with two GPUs, the second of which this process computes on."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        pass

    nvmlInit = staticmethod(lambda: None)  # noqa: N815 - NVML's names
    nvmlDeviceGetCount = staticmethod(lambda: 2)  # noqa: N815
    nvmlDeviceGetHandleByIndex = staticmethod(lambda index: index)  # noqa: N815
    nvmlDeviceGetMemoryInfo = staticmethod(  # noqa: N815
        lambda handle: SimpleNamespace(used=3 * 10**9, total=8 * 10**9)
    )
    nvmlDeviceGetUtilizationRates = staticmethod(  # noqa: N815
        lambda handle: SimpleNamespace(gpu=50 + handle)
    )

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        if handle == 0:
            raise self.NVMLError
        return [SimpleNamespace(pid=os.getpid())]

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        raise self.NVMLError


def test_of_several_gpus_those_that_the_engine_computes_on_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MadeNvml()
    names = [name for name in vars(MadeNvml) if name.lower().startswith("nvml")]
    assert [name for name in names if not hasattr(pynvml, name)] == []
    monkeypatch.setitem(sys.modules, "pynvml", made)
    meter = MachineMeter(run_of(tmp_path, os.getpid(), socket.gethostname()), "auto")
    assert meter.read().gpus == (GpuLoad(1, 0.51, 3 * 10**9, 8 * 10**9, None),)


def test_a_gpus_figures_are_words_that_fit_the_line() -> None:
    load = MachineLoad((GpuLoad(1, 0.87, 10_200_000_000, 25_400_000_000, 71),), 0.4, 3 * 10**9)
    words = load_words(load)
    assert words == ["GPU 1 87% 10.2 GB of 25.4 GB 71 °C", "engine 3.0 GB"]
    assert fitted(words, 40).plain == words[0]
