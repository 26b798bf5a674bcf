"""What merging asks of a trained model: faces in, swapped faces and masks out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.classes import model_code, model_spec
from engine.protocol.dfm_files import find_dfm
from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace
from engine.train.generations import Generations, names_of

# The face type of a ready-made model's crops: what its file says, or what is usual.
AUTO_FACE_TYPE = "auto"


@dataclass(frozen=True)
class Prediction:
    """The swapped faces of n crops of R x R pixels.

    face_bgr: (n, R, R, 3) float32, 0..1. mask_src, mask_dst: (n, R, R) float32, 0..1, the masks
    that the src decoder ("learned-prd") and the dst decoder ("learned-dst") see in the dst crops.
    """

    face_bgr: NDArray[np.float32]
    mask_src: NDArray[np.float32]
    mask_dst: NDArray[np.float32]


class FacePredictor(Protocol):
    """A model ready to merge with. Not for several threads at once."""

    @property
    def resolution(self) -> int:
        """R: side of the crops in pixels."""
        ...

    @property
    def face_type(self) -> FaceType:
        """How much of the head the crops show."""
        ...

    @property
    def iteration(self) -> int:
        """How far the model was trained; 0 where that is not known."""
        ...

    @property
    def fingerprint(self) -> str:
        """What tells these weights from all others, also of the same name and iteration."""
        ...

    def predict(
        self, crops_bgr: NDArray[np.float32], morph_factors: NDArray[np.float32] | None = None
    ) -> Prediction:
        """Swap the faces in dst crops: (n, R, R, 3) float32, 0..1, n >= 1. n may vary.

        morph_factors: (n,), 0..1, for models that have one (`dfm_files.has_morph_factor`): 1, as
        where none is given, is the pure result, less blends towards dst; others ignore it.
        """
        ...


def load_predictor(
    workspace: Workspace,
    name: str,
    model_class: str,
    device: str = "auto",
    *,
    face_type: str = AUTO_FACE_TYPE,
    warn: Callable[[str, str], None] = lambda text, remedy: None,
) -> FacePredictor:
    """The newest good save of a model, or a ready-made file, ready to merge with.

    device: auto, cpu or GPU numbers. face_type: what a ready-made file's faces show, if not what it
    says (`FaceType.short`); trained models know. warn: hears (text, remedy) of damaged saves that
    were passed over; `FacePredictor.iteration` tells which save it is.
    Raises `InputError` if the model does not exist, was never saved, all its saves are damaged, or
    its file is none to merge with; it names the models that there are.
    """
    spec = model_spec(model_class)
    predictor: FacePredictor
    if spec.is_file:
        path = find_dfm(workspace, name)
        predictor = model_code(spec).load_predictor(path, device, face_type, warn)
        return predictor
    saves = Generations(workspace.model(name, model_class))
    if not saves.iterations():
        folders = workspace.models.iterdir() if workspace.models.is_dir() else ()
        known = ", ".join(names_of(folders)) or "none"
        raise InputError(
            f"there is no saved model {name} of class {model_class} in {workspace.models}",
            f"train it first, or choose one of these (NAME_CLASS): {known}",
            code="no-model",
        )
    predictor = model_code(spec).load_predictor(saves, device, warn)
    return predictor
