"""Trains a tiny SAEHD on two devices, which a process can only have from its start, and writes what
came of it: `python -m tests.models.on_two_devices RESULT.npz OPTIONS_AS_JSON`."""

from __future__ import annotations

import json
import sys

import numpy as np
import tensorflow as tf

from engine.models.saehd.model import Saehd
from engine.nets import optimizers
from engine.nets.distribution import Distribution
from engine.protocol.errors import UsageError
from tests.models.tiny_saehd import MadeBatches, options

STEPS = 3
# Some tensors of the tiny nets are moved each by itself then, as most of usual nets are.
MOVED_TOGETHER = 1 << 9


def main(result_path: str, options_json: str) -> None:
    optimizers.MOVED_TOGETHER = MOVED_TOGETHER
    (cpu,) = tf.config.list_physical_devices("CPU")
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)
    two = Distribution(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    model = Saehd(options(**json.loads(options_json)), seed=7, dtype="float32", distribution=two)
    model.trace()
    batches = MadeBatches(count=model.sampling().batch_size)
    results = [model.train_step(batches) for _ in range(STEPS)]
    assert model._step.experimental_get_tracing_count() == 1, "what was traced is what is run"
    found = {
        f"{file}/{name}": value
        for file, tensors in model.state().items()
        for name, value in tensors.items()
    }
    found["losses"] = np.array([result.losses for result in results])
    found["preview"] = next(iter(model.preview_pages(batches.make(99)).values()))
    found["copies differ"] = np.array(_largest_difference(model))
    found["refusal"] = np.array(_refusal(model))
    np.savez(result_path, **found)


def _largest_difference(model: Saehd) -> float:
    """Between the two devices' copies of any weight."""
    return max(
        float(np.abs(np.subtract(*(copy.numpy() for copy in variable.value.values))).max())
        for learner in model.learners.values()
        for net in learner.nets.values()
        for _, variable in net.named_weights()
    )


def _refusal(model: Saehd) -> str:
    try:
        model.change_options({"batch_size": 5})
    except UsageError as error:
        return f"{error.message}; {error.remedy}"
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
