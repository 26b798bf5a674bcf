"""The model classes there are, as specs: import this without fear, it loads no library."""

from __future__ import annotations

from engine.models.quick96.spec import QUICK96
from engine.protocol.spec import ModelSpec

MODEL_CLASSES: tuple[ModelSpec, ...] = (QUICK96,)
