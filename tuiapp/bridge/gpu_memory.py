"""How much memory the GPU has that a training would use, by NVML; loaded when asked."""

from __future__ import annotations

import os


def gpu_gib(device: str = "auto") -> float:
    """GiB of the smallest GPU that the option `device` names ("auto": the first one); 0 for the
    CPU, and where no GPU is seen. Whether TensorFlow can use it, only an engine knows."""
    # What hides all GPUs from TensorFlow does not hide them from NVML.
    if device == "cpu" or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return 0.0
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0.0
    try:
        count = pynvml.nvmlDeviceGetCount()
        named = [int(number) for number in device.split(",") if number.isdigit()] or [0]
        return min((_total_gib(index) for index in named if index < count), default=0.0)
    except pynvml.NVMLError:
        return 0.0  # the driver does not tell: the CPU's values fit everywhere
    finally:
        pynvml.nvmlShutdown()


def _total_gib(index: int) -> float:
    import pynvml

    memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(index))
    return float(memory.total) / 2**30
