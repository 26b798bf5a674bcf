"""The reference frames: DeepFaceLab's merged pictures, with the settings they were made with."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np

from engine.merge.motion import Motion
from engine.protocol.look import Look
from engine.protocol.look_options import COLOR_TRANSFER_MODE, MASK_MODE, SHARPEN_MODE
from tests.support.shared import shared_path

# The reference gives these as numbers; a choice's place in its list is that number.
NUMBERED = {
    "mask_mode": MASK_MODE,
    "color_transfer_mode": COLOR_TRANSFER_MODE,
    "sharpen_mode": SHARPEN_MODE,
}


@dataclass(frozen=True)
class GoldenFrame:
    name: str
    look: Look
    motion: Motion
    face_type: str
    frame_bgr_u8: np.ndarray
    landmarks: list[np.ndarray]
    image_bgr_u8: np.ndarray
    mask_u8: np.ndarray


def configurations() -> dict[str, dict[str, Any]]:
    """Name -> configuration."""
    found = json.loads(shared_path("golden", "merge", "configs.json").read_text())["configs"]
    return {entry["name"]: entry for entry in found}


def golden_frame(entry: dict[str, Any]) -> GoldenFrame:
    """The configuration with its pictures."""
    folder = shared_path("golden", "merge")
    fakes = np.load(folder / "fakes.npz")
    return GoldenFrame(
        name=entry["name"],
        look=Look(**_settings(entry["config"])),
        motion=Motion(entry["motion_power"], entry["motion_deg"]),
        face_type=entry["config"]["face_type"],
        frame_bgr_u8=cv2.imread(str(folder / entry["frame"])),
        landmarks=[fakes[f"landmarks_{face}"] for face in entry["landmarks"]],
        image_bgr_u8=cv2.imread(str(folder / "out" / f"{entry['name']}.png")),
        mask_u8=cv2.imread(str(folder / "out" / f"{entry['name']}_mask.png"), 0),
    )


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration as fields of a look."""
    known = {field.name for field in fields(Look)}
    settings = {name: value for name, value in config.items() if name in known}
    for name, option in NUMBERED.items():
        settings[name] = option.kind.values[config[name]]
    return settings
