"""Where nets run: choosing devices and threads before TensorFlow starts them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.protocol.errors import InputError

_BF16_CPU_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_BF16_GPU_CAPABILITY = (8, 0)  # Ampere, the first generation with bfloat16 units


@dataclass(frozen=True)
class Device:
    """What was chosen. bf16: it computes bfloat16 itself, so that it is faster than float32; of
    several GPUs, all do."""

    description: str
    is_gpu: bool
    bf16: bool

    def keras_dtype(self, precision: str) -> str:
        """The Keras policy for the option `precision`: float32, bf16 or auto."""
        wanted = precision == "bf16" or (precision == "auto" and self.bf16)
        return "mixed_bfloat16" if wanted else "float32"


def prepare_device(
    device: str, warn: Callable[[str, str], None], *, several: bool = False
) -> Device:
    """Make TensorFlow use `device`: auto, cpu, or GPU numbers such as 0 or 0,1.

    several: whether the caller shares its work over all GPUs chosen. Otherwise the nets run on the
    first; `warn` hears (text, remedy) if more were. Memory of GPUs is taken as it is needed, so
    that other programs can use the rest. Raises `InputError` for a GPU that is not there, or when
    TensorFlow already runs on other devices in this process.
    """
    import tensorflow as tf

    present = tf.config.list_physical_devices("GPU")
    chosen = _chosen(device, present)
    if len(chosen) > 1 and not several:
        first, *others = device.split(",")
        warn(
            f"--device {device}: the nets run on GPU {first} alone, not on {' and '.join(others)}",
            f"say --device {first}; the others are free for other runs",
        )
        chosen = chosen[:1]
    if tf.config.get_visible_devices("GPU") != chosen or not _has_growth(chosen):
        try:
            tf.config.set_visible_devices(chosen, "GPU")
            for gpu in chosen:
                tf.config.experimental.set_memory_growth(gpu, True)
            tf.config.threading.set_intra_op_parallelism_threads(len(os.sched_getaffinity(0)))
        except RuntimeError as error:
            raise InputError(
                f"cannot change to device {device}: TensorFlow already runs on others",
                "start another run",
            ) from error
    return _describe(chosen)


def _chosen(device: str, present: list[object]) -> list[object]:
    if device == "cpu":
        return []
    if device == "auto":
        return present[:1]
    numbers = list(dict.fromkeys(int(number) for number in device.split(",")))
    missing = [number for number in numbers if number >= len(present)]
    if missing:
        raise InputError(
            f"there is no GPU {missing[0]}: TensorFlow sees {len(present)}",
            "choose --device auto or cpu; `facewright doctor` tells what is missing",
            code="no-gpu",
        )
    return [present[number] for number in numbers]


def _has_growth(gpus: list[object]) -> bool:
    import tensorflow as tf

    return all(tf.config.experimental.get_memory_growth(gpu) for gpu in gpus)


def _describe(gpus: list[object]) -> Device:
    import tensorflow as tf

    if not gpus:
        cores = len(os.sched_getaffinity(0))
        return Device(f"CPU with {cores} cores", False, bool(_BF16_CPU_FLAGS & _cpu_flags()))
    facts = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    capability = min(tuple(fact.get("compute_capability", (0, 0))) for fact in facts)
    names = ", ".join(str(fact.get("device_name", "GPU")) for fact in facts)
    return Device(names, True, capability >= _BF16_GPU_CAPABILITY)


def _cpu_flags() -> frozenset[str]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return frozenset()
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.split())
