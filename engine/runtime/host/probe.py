"""What this machine offers to the engine: asked by `facewright doctor` in a process of its own."""

from __future__ import annotations

import json
import sys
import time


def print_probe() -> int:
    """Write one JSON object about TensorFlow, its devices and dlib's weights to stdout."""
    began = time.monotonic()
    import tensorflow as tf

    devices = [
        {
            "name": device.name,
            "type": device.device_type,
            "details": tf.config.experimental.get_device_details(device).get("device_name", ""),
        }
        for device in tf.config.list_physical_devices()
    ]
    facts = {
        "tensorflow": tf.__version__,
        "built_with_cuda": bool(tf.test.is_built_with_cuda()),
        "devices": devices,
        "import_s": round(time.monotonic() - began, 2),
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0
