"""The look: all settings of one merged frame as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from engine.protocol.look_options import LOOK_FIELDS
from engine.protocol.options import Integer, Number, unknown_option


@dataclass(frozen=True)
class Look:
    """How faces are put into a frame. Field names, ranges and defaults are those of the rows in
    `engine.protocol.look_options`.

    morph_factor: for AMP models, 1 is the pure result and less blends towards dst; other model
        classes have no use for it.
    """

    mode: str = "overlay"
    masked_hist_match: bool = True
    hist_match_threshold: int = 238
    mask_mode: str = "learned-prd*learned-dst"
    erode_mask_modifier: int = 0
    blur_mask_modifier: int = 0
    motion_blur_power: int = 0
    output_face_scale: int = 0
    color_transfer_mode: str = "rct"
    sharpen_mode: str = "none"
    blursharpen_amount: int = 0
    super_resolution_power: int = 0
    image_denoise_power: int = 0
    bicubic_degrade_power: int = 0
    color_degrade_power: int = 0
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
    def is_seamless(self) -> bool:
        """Poisson blending, with colours transferred afterwards."""
        return self.mode.startswith("seamless")

    @property
    def is_enlarged(self) -> bool:
        """The face goes through the face enhancer."""
        return self.super_resolution_power > 0 and self.mode != "original"

    @property
    def uses_xseg(self) -> bool:
        """The mask comes from XSeg."""
        return "XSeg" in self.mask_mode

    @property
    def degrades_frame(self) -> bool:
        """The frame changes outside of the face, too."""
        return bool(
            self.image_denoise_power or self.bicubic_degrade_power or self.color_degrade_power
        )

    @property
    def face_scale(self) -> float:
        """How much more of the frame than the crop's own the model's square is pasted to: above 1
        the pasted face is smaller."""
        return 1.0 + 0.01 * self.output_face_scale

    def key(self) -> str:
        """The look as text; two looks are equal exactly if their texts are."""
        return json.dumps(asdict(self), sort_keys=True)


_ROWS = {option.name: option for option in LOOK_FIELDS}
_NUMERIC = {name: row.kind for name, row in _ROWS.items() if isinstance(row.kind, Integer | Number)}


def changed_look(look: Look, changes: Mapping[str, object]) -> Look:
    """The look with other values in some fields. Raises `UsageError` for a name that is no field
    and for a value that its row does not allow."""
    for name in changes:
        if name not in _ROWS:
            raise unknown_option(name, tuple(_ROWS))
    return replace(look, **{name: _ROWS[name].parse(raw) for name, raw in changes.items()})


def look_between(one: Look, other: Look, part: float) -> Look:
    """The look on the way from `one` (part 0) to `other` (part 1): numbers in between, in their
    rows' steps; all else as in `one`."""
    if part <= 0 or one == other:
        return one
    numbers: dict[str, Any] = {name: _between(name, one, other, part) for name in _NUMERIC}
    return replace(one, **numbers)


def _between(name: str, one: Look, other: Look, part: float) -> int | float:
    first, last, kind = getattr(one, name), getattr(other, name), _NUMERIC[name]
    wanted = first + (last - first) * part
    steps = round((wanted - kind.minimum) / kind.step)
    # Floats of decimal steps: 3 * 0.1 is not 0.3, but is in text. Ends may lie off the steps.
    nearest = round(kind.minimum + steps * kind.step, 6)
    between: int | float = min(max(nearest, min(first, last)), max(first, last))
    return between
