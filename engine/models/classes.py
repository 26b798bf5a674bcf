"""The model classes there are. Importing this loads no library; `model_code` loads TensorFlow, or
ONNX Runtime."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from engine.models.amp.spec import AMP
from engine.models.dfl1.spec import DFL1
from engine.models.dfm.spec import DFM
from engine.models.quick96.spec import QUICK96
from engine.models.saehd.spec import SAEHD
from engine.models.xseg.spec import XSEG
from engine.protocol.errors import UsageError
from engine.protocol.spec import ModelSpec

MODEL_CLASSES: tuple[ModelSpec, ...] = (QUICK96, SAEHD, AMP, XSEG, *DFL1)
SWAP_CLASSES = tuple(spec for spec in MODEL_CLASSES if spec.swaps)
MERGE_CLASSES = (*SWAP_CLASSES, DFM)


def model_spec(model_class: str) -> ModelSpec:
    """The spec of that id. Raises `UsageError` for any other text."""
    specs = (*MODEL_CLASSES, DFM)
    for spec in specs:
        if spec.id == model_class:
            return spec
    known = " ".join(spec.id for spec in specs)
    raise UsageError(f"unknown model class {model_class!r}", f"known: {known}")


def model_code(spec: ModelSpec) -> Any:
    """The class that does the spec's work; only for engine processes, since it loads TensorFlow, or
    ONNX Runtime."""
    module_name, class_name = spec.code.split(":")
    return getattr(import_module(module_name), class_name)
