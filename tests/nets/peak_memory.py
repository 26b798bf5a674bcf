"""Says what a gradient of an autoencoder takes: `python -m tests.nets.peak_memory RECOMPUTE`, 0 or
1. The most memory of a process can only be told once, hence a process of its own.

Prints MiB beyond what the process held before, and the sum of all gradients' sizes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from engine.nets.autoencoder import Architecture, Autoencoder
from engine.nets.initialisation import initialise

BATCH = 8
PIXELS = 256


def main(recompute: bool) -> None:
    arch = Architecture("df", frozenset("u"), PIXELS, 32, 8, 9, 8)
    nets = Autoencoder(arch)
    nets.recompute(recompute)
    weights = []
    for name, net in nets.nets.items():
        initialise(net, name, 1)
        weights += [variable.value for _, variable in net.named_weights()]

    @tf.function(autograph=False)
    def gradients(faces):
        with tf.GradientTape() as tape:
            drawn = nets.swap(faces)
            loss = tf.add_n([tf.reduce_sum(tf.square(picture)) for picture in drawn])
        return [g for g in tape.gradient(loss, weights) if g is not None]

    faces = tf.constant(np.random.default_rng(0).random((BATCH, PIXELS, PIXELS, 3), np.float32))
    gradients.get_concrete_function(faces)
    before = _peak_mib()
    found = gradients(faces)
    sys.stdout.write(f"{_peak_mib() - before} {sum(float(tf.norm(g)) for g in found)}\n")


def _peak_mib() -> int:
    """Of this program alone: `getrusage` begins with what the parent held."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


if __name__ == "__main__":
    main(sys.argv[1] == "1")
