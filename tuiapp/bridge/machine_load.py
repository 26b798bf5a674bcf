"""How busy the machine is with a run: the GPU by NVML where there is one, else CPU and memory.

NVML and psutil are loaded at the first reading. Readings take milliseconds: make them in a thread.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from engine.runtime.client import RunFolder


@dataclass(frozen=True)
class GpuLoad:
    """One GPU; `busy` 0 to 1, `temperature_c` in degrees Celsius if it tells."""

    index: int
    busy: float
    used_bytes: int
    total_bytes: int
    temperature_c: int | None


@dataclass(frozen=True)
class MachineLoad:
    """gpus: those that the run uses. cpu: the engine's share of all cores, 0 to 1; memory_bytes:
    what it holds. Both None once the engine has ended, or where it runs on another machine."""

    gpus: tuple[GpuLoad, ...] = ()
    cpu: float | None = None
    memory_bytes: int | None = None


class MachineMeter:
    """Reads the load of one run. Not for several threads at once."""

    def __init__(self, folder: RunFolder, device: str) -> None:
        """device: the run's option, "auto", "cpu" or GPU numbers such as "0,1"."""
        self._folder = folder
        self._device = device
        self._process: Any = None  # psutil's, for the pid read last
        self._has_nvml: bool | None = None

    def read(self) -> MachineLoad:
        """The load since the last reading (the first one gives no CPU share yet)."""
        process = self._folder.process()
        if process is None or process.host != socket.gethostname() or not process.alive():
            return MachineLoad()
        cpu, memory_bytes = self._engine_load(process.pid)
        return MachineLoad(self._gpus(process.pid), cpu, memory_bytes)

    def _engine_load(self, pid: int) -> tuple[float | None, int | None]:
        import psutil

        try:
            if self._process is None or self._process.pid != pid:
                self._process = psutil.Process(pid)
                self._process.cpu_percent()  # counts from here on
                return None, int(self._process.memory_info().rss)
            cpu = self._process.cpu_percent() / 100 / (psutil.cpu_count() or 1)
            return min(1.0, cpu), int(self._process.memory_info().rss)
        except psutil.Error:
            return None, None  # it ended this moment

    def _gpus(self, pid: int) -> tuple[GpuLoad, ...]:
        if self._device == "cpu" or self._has_nvml is False:
            return ()
        import pynvml

        try:
            if self._has_nvml is None:
                pynvml.nvmlInit()
                self._has_nvml = True
            return tuple(_gpu_load(index) for index in _gpus_of(pid, self._device))
        except pynvml.NVMLError:
            self._has_nvml = False  # no driver, or it went away: the CPU's figures stay
            return ()


def _gpus_of(pid: int, device: str) -> list[int]:
    """The GPUs that the process computes on. In a container NVML sees other process ids: then those
    that the option names, or the first."""
    import pynvml

    count = pynvml.nvmlDeviceGetCount()
    in_use = [index for index in range(count) if _computes_on(index, pid)]
    named = [int(number) for number in device.split(",") if number.isdigit()]
    return in_use or [index for index in named or [0] if index < count]


def _computes_on(index: int, pid: int) -> bool:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    try:
        processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except pynvml.NVMLError:
        return False  # virtual GPUs do not tell
    return any(process.pid == pid for process in processes)


def _gpu_load(index: int) -> GpuLoad:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    try:
        temperature_c = pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
    except pynvml.NVMLError:
        temperature_c = None  # some virtual GPUs have no thermometer
    return GpuLoad(index, busy, int(memory.used), int(memory.total), temperature_c)
