"""The face enhancer that looks with super resolution want, loaded from the user's weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.faces.dfl_weights import find_weights, read_dfl_weights
from engine.nets.device import prepare_device
from engine.protocol.stage import StageContext

if TYPE_CHECKING:
    from engine.nets.face_enhancing import FaceEnhancer

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class WeightsEnlarger:
    """The enhancer's net as merging asks it (`engine.merge.face_nets.FaceEnlarger`)."""

    enhancer: FaceEnhancer
    fingerprint: str

    def enlarge(self, face_bgr: Floats) -> Floats:
        """See `FaceEnlarger.enlarge`."""
        return self.enhancer.enlarge(face_bgr, check_stop=lambda: None)


def load_enlarger(context: StageContext) -> WeightsEnlarger:
    """The enhancer with the weights that the options name. Raises `InputError` where they are not
    there, saying where to put them."""
    # They load TensorFlow, which takes seconds, and few looks want them.
    from engine.nets.face_enhancer import WEIGHTS_NAME
    from engine.nets.face_enhancing import FaceEnhancer

    options = context.options
    path = find_weights(WEIGHTS_NAME, options["face_enhancer"], [context.workspace.models])
    device = prepare_device(options["device"], context.warn)
    enhancer = FaceEnhancer(read_dfl_weights(path), is_gpu=device.is_gpu)
    state = path.stat()
    return WeightsEnlarger(enhancer, f"{state.st_size} {state.st_mtime_ns}")
