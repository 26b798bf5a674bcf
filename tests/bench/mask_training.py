"""A short training of XSeg without any label: its samples, net and optimizer, in a loop of a few
lines. Half the net's usual channels and a higher rate, for that is what a CPU does in half an hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from keras import ops

from engine.faces.face_type import FaceType
from engine.models.dfl_files.writing import write_tensors
from engine.models.xseg.losses import mask_loss
from engine.models.xseg.predictor import DFL_NET_FILE, NET
from engine.models.xseg.running_mean import RunningMean
from engine.nets.initialisation import initialise, weights_of
from engine.nets.optimizers import RMSprop, Schedule
from engine.nets.xseg import RESOLUTION, XSeg
from engine.train.crops import CropCache, CropKind
from engine.train.samples import Sampling
from engine.train.self_labels import SelfLabelledFaces
from engine.train.side_faces import Face, SideFaces
from engine.train.xseg_samples import XSegSamples

BASE_CHANNELS, BATCH, RATE, DTYPE = 16, 4, 3e-4, "mixed_bfloat16"
SCALE = 0.05  # how much samples are enlarged at most, as XSeg's own training has it
TOLD_EVERY = 50
Told = Callable[[str, float, str], None]


def train_self_labelled(faces: Sequence[Face], steps: int, folder: Path, told: Told) -> None:
    """Train on the faces; now and then, and at the end, the mean net is written into the folder as
    DeepFaceLab would."""
    samples = _samples(faces)
    net = XSeg(BASE_CHANNELS, dtype=DTYPE)
    initialise(net, NET, seed=1)
    mean = RunningMean(net, XSeg(BASE_CHANNELS, dtype=DTYPE))
    step = _step_of(net)
    began = time.process_time()
    losses: list[float] = []
    with ThreadPoolExecutor(1) as ahead:
        waiting = ahead.submit(_batch, samples, 0)
        for number in range(1, steps + 1):
            images, masks = waiting.result()
            waiting = ahead.submit(_batch, samples, number)
            losses.append(float(step(images, masks)))
            mean.follow()
            if number % TOLD_EVERY == 0 or number == steps:
                told(f"loss, {number} steps", float(np.mean(losses[-TOLD_EVERY:])), "")
                write_tensors(folder / DFL_NET_FILE, weights_of(mean.mean))
    told("training, a step of 4", (time.process_time() - began) / steps, "CPU s")


def _samples(faces: Sequence[Face]) -> XSegSamples:
    cv2.setNumThreads(1)
    kind = CropKind(FaceType.WHOLE_FACE, RESOLUTION)
    side = SideFaces("training", faces, _refuse)
    source = SelfLabelledFaces(side, kind, CropCache(1 << 30))
    return XSegSamples(source, Sampling(kind, BATCH, SCALE), seed=1)


def _refuse(what: str, remedy: str) -> None:
    raise AssertionError(f"{what}; {remedy}")


def _batch(samples: XSegSamples, number: int) -> tuple[Any, Any]:
    made = [samples.sample(number * BATCH + place) for place in range(BATCH)]
    return np.stack([one.input_bgr for one in made]), np.stack([one.mask for one in made])


def _step_of(net: XSeg) -> Callable[[Any, Any], Any]:
    named = [(name.removesuffix(":0"), weight) for name, weight in net.named_weights()]
    optimizer = RMSprop(named, Schedule(RATE))
    variables = [weight.value for _, weight in named]

    @tf.function
    def step(images: Any, masks: Any) -> Any:
        with tf.GradientTape() as tape:
            losses = mask_loss(masks, net(images))
            total = ops.sum(losses)
        optimizer.apply(tape.gradient(total, variables))
        return ops.mean(losses)

    return step
