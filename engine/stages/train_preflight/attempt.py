"""A training tried for a few steps, in a process of its own that may die of it.

What the parent must know is sent as it becomes known, since the process may not see its end. The
model's folder is neither read nor written: fresh weights need as much of everything as old ones.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2

from engine.models.classes import model_code, model_spec
from engine.nets.device import Device, prepare_device
from engine.protocol.errors import FacewrightError
from engine.stages.train.faces import loader_count
from engine.stages.train_preflight.made_faces import made_faces
from engine.train.preflight import ModelSize, model_size
from engine.train.previewing import row_count
from engine.train.samples import Sampling
from engine.train.side_faces import Face
from engine.train.sources import Sources

SEED = 1
# Crops of the few faces that are tried; what a whole faceset takes is reckoned, not measured.
_CROP_BYTES = 1 << 28


@dataclass(frozen=True)
class Job:
    """What to try: a model class with its options (the batch size among them), and how it would be
    trained. steps: how many besides the first, which compiles. src_faces, dst_faces: some of the
    real ones, or none."""

    model_class: str
    options: Mapping[str, Any]
    device: str
    precision: str
    loaders: str
    steps: int
    src_faces: Sequence[Face]
    dst_faces: Sequence[Face]


@dataclass(frozen=True)
class Begun:
    """The model is made. dtype: what its nets compute in."""

    device: Device
    dtype: str
    size: ModelSize
    sampling: Sampling


@dataclass(frozen=True)
class Stepped:
    """A step was made. cpu_s: of all threads, the loaders' too."""

    step_s: float
    cpu_s: float


@dataclass(frozen=True)
class Ended:
    """All steps were made. memory_bytes: the most that the process held; gpu_bytes: the same of the
    GPU, None without one. samples_per_step: what one took of both sides together, on average;
    deliverable_per_s: how many samples the loaders could have made meanwhile."""

    memory_bytes: int
    gpu_bytes: int | None
    samples_per_step: float
    deliverable_per_s: float


@dataclass(frozen=True)
class OutOfMemory:
    """The device or the machine refused memory."""


@dataclass(frozen=True)
class Refused:
    """The training cannot be tried at all: an error meant for the user."""

    message: str
    remedy: str
    code: str


@dataclass(frozen=True)
class Warned:
    """Something that the user should look at."""

    text: str
    remedy: str


Report = Begun | Stepped | Ended | OutOfMemory | Refused | Warned


def try_training(job: Job, parent: Connection, scratch: Path) -> None:
    """Do the job; `parent` is sent `Report`s, the last of them `Ended`, `OutOfMemory` or `Refused`
    unless the process dies. scratch: a folder for what libraries leave behind when killed."""
    _live_for(parent)
    tempfile.tempdir = str(scratch)
    import tensorflow as tf

    try:
        _train(job, parent)
    except (tf.errors.ResourceExhaustedError, MemoryError):
        parent.send(OutOfMemory())
    except FacewrightError as error:
        lacks = error.code == "out-of-memory"
        parent.send(OutOfMemory() if lacks else Refused(error.message, error.remedy, error.code))


def _train(job: Job, parent: Connection) -> None:
    device = prepare_device(job.device, lambda text, remedy: parent.send(Warned(text, remedy)))
    dtype = device.keras_dtype(job.precision)
    model = model_code(model_spec(job.model_class))(job.options, seed=SEED, dtype=dtype)
    held = model.state()  # besides the model's own, as training holds them while it saves
    sampling = model.sampling()
    parent.send(Begun(device, dtype, model_size(held), sampling))
    model.trace()
    sources = _sources(job, sampling, loader_count(job.loaders, device))
    with sources.open(sampling, 0) as batches:
        for number in range(1 + job.steps):
            begun, cpu_begun = time.perf_counter(), time.process_time()
            model.train_step(batches)
            parent.send(Stepped(time.perf_counter() - begun, time.process_time() - cpu_begun))
            if number == 0:  # the first save is written while training goes on; then a preview
                held = model.state()
                model.preview_pages(batches.make(0, row_count(sampling)).unwarped())
        taken = 2 * batches.drawn / (1 + job.steps)
        deliverable = sources.rates.deliverable_per_s(sources.threads)
    parent.send(Ended(_peak_memory_bytes(), _peak_gpu_bytes(device), taken, deliverable))


def _sources(job: Job, sampling: Sampling, threads: int) -> Sources:
    cv2.setNumThreads(1)  # as in training: the threads that make samples are the parallelism
    return Sources(
        job.src_faces or made_faces(sampling.kind.face_type),
        job.dst_faces or made_faces(sampling.kind.face_type),
        seed=SEED,
        limit_bytes=_CROP_BYTES,
        warn=lambda text, remedy: None,  # a trial tells nothing of single faces: training will
        threads=threads,
    )


def _live_for(parent: Connection) -> None:
    """End with the parent, whatever ends that; and be what the kernel kills first for memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):  # another system, or not allowed
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Connection) -> None:
    """The parent never sends anything, so that the pipe is readable only once it is gone."""
    parent.poll(None)
    os._exit(1)


def _peak_memory_bytes() -> int:
    """The most that this process held. Not getrusage: that counts in what the parent held when it
    started this process (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html: VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _peak_gpu_bytes(device: Device) -> int | None:
    if not device.is_gpu:
        return None
    import tensorflow as tf

    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
