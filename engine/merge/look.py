"""The look: all settings of one merged frame as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class Look:
    """How faces are put into a frame. Field names, ranges and defaults are those of the rows in
    `engine.merge.look_options`.

    morph_factor: for AMP models, 1 is the pure result and less blends towards dst; other model
        classes have no use for it.
    """

    mode: str = "overlay"
    mask_mode: str = "learned-prd*learned-dst"
    erode_mask_modifier: int = 0
    blur_mask_modifier: int = 0
    output_face_scale: int = 0
    color_transfer_mode: str = "rct"
    morph_factor: float = 1.0

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """The look that a stage's options describe; others are left out."""
        return cls(**{f.name: options[f.name] for f in fields(cls) if f.name in options})

    @property
    def is_raw(self) -> bool:
        """The mask is used as predicted: no erosion, no blur, no fade inside the square."""
        return self.mode.startswith("raw-")

    @property
    def face_scale(self) -> float:
        """How much more of the frame than the crop's own the model's square is pasted to: above 1
        the pasted face is smaller."""
        return 1.0 + 0.01 * self.output_face_scale

    def key(self) -> str:
        """The look as text; two looks are equal exactly if their texts are."""
        return json.dumps(asdict(self), sort_keys=True)
