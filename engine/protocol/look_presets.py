"""Looks that others had: the converter of DeepFaceLab 1.0, whose modes and masks its users know.

A preset says what it sets and leaves all else as it is, so that one for the mode and one for the
mask go together (pipeline specification 1.4). What 1.0 had and is no more is in `.docs/dfl1.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from engine.protocol.look_options import LOOK_OPTIONS
from engine.protocol.options import Choice, Option

NO_PRESET = "none"


@dataclass(frozen=True)
class LookPreset:
    """changes: fields of a look by their names."""

    id: str
    summary: str
    changes: Mapping[str, Any]


def _mode(id: str, summary: str, mode: str, **changes: Any) -> LookPreset:
    """1.0 asked for a threshold of 255, and took no colours over unless told to."""
    as_asked = {"mode": mode, "color_transfer_mode": "none", "hist_match_threshold": 255}
    return LookPreset(f"dfl1-{id}", summary, {**as_asked, "masked_hist_match": True, **changes})


def _mask(id: str, summary: str, mask_mode: str) -> LookPreset:
    return LookPreset(f"dfl1-mask-{id}", summary, {"mask_mode": mask_mode})


_ALL_MASKS = "learned-prd*learned-dst*XSeg-prd*XSeg-dst"

LOOK_PRESETS: tuple[LookPreset, ...] = (
    _mode("overlay", "1.0's overlay", "overlay"),
    _mode("hist-match", "1.0's hist-match, within the mask", "hist-match"),
    _mode(
        "hist-match-bw",
        "in place of 1.0's hist-match-bw: for black and white frames, the face made grey first",
        "hist-match",
        color_transfer_mode="rct",
    ),
    _mode("seamless", "1.0's seamless, its default", "seamless"),
    _mode("seamless-hist-match", "1.0's seamless with hist-match", "seamless-hist-match"),
    _mode("raw", "1.0's raw-rgb: the whole square in the frame, its mask beside", "raw-rgb"),
    _mode("raw-predicted", "1.0's raw-predicted-only: the square alone", "raw-predict"),
    _mask("learned", "1.0's mask learned", "learned-prd"),
    _mask("dst", "1.0's mask dst", "dst"),
    _mask("fan-prd", "in place of 1.0's mask FAN-prd: XSeg's of the predicted face", "XSeg-prd"),
    _mask("fan-dst", "in place of 1.0's mask FAN-dst: XSeg's of the frame's face", "XSeg-dst"),
    _mask(
        "fan-prd-dst", "in place of 1.0's mask FAN-prd*FAN-dst: both of XSeg", "XSeg-prd*XSeg-dst"
    ),
    _mask(
        "learned-fan",
        "in place of 1.0's masks learned*FAN-dst and learned*FAN-prd*FAN-dst: all there are",
        _ALL_MASKS,
    ),
)
_CHANGES = {preset.id: preset.changes for preset in LOOK_PRESETS}

PRESET = Option(
    "preset",
    "Preset",
    Choice(
        (
            (NO_PRESET, "the look as the other options say"),
            *((preset.id, preset.summary) for preset in LOOK_PRESETS),
        )
    ),
    NO_PRESET,
    "A ready look to begin with; what other options say goes before it.",
)


def _default(values: Mapping[str, Any], *, row: Option) -> Any:
    return _CHANGES.get(values[PRESET.name], {}).get(row.name, row.default)


_FOLLOWED = {name for changes in _CHANGES.values() for name in changes}

# What a stage asks of a look: a preset, and rows whose defaults follow from it where it sets them.
PRESET_LOOK_OPTIONS: tuple[Option, ...] = (
    PRESET,
    *(
        replace(row, derive=partial(_default, row=row)) if row.name in _FOLLOWED else row
        for row in LOOK_OPTIONS
    ),
)
