"""The reference's own training samples, and its random numbers in the order in which it draws them
(spec, training 7.1), so that ours can be compared with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.train.colours import TRANSFERS, HsvShift
from engine.train.crops import CropKind, make_crop, make_reference
from engine.train.geometry import SampleGeometry, draw_affine
from tests.support.shared import shared_path


@dataclass(frozen=True)
class ReferenceSample:
    """A sample as the reference made it, with what it was made of."""

    row: dict
    folder: Path
    arrays: dict

    def expected(self, what: str) -> np.ndarray:
        return np.squeeze(self.arrays[f"{self.row['i']}_{what}"])

    def file(self, key: str) -> bytes:
        return (self.folder / self.row[key]).read_bytes()

    def crop(self):
        row = self.row
        data = FaceData(
            FaceType.from_dfl(row["face_type"]),
            np.array(row["landmarks"]),
            eyebrows_expand_mod=row["eyebrows_expand_mod"],
            xseg_mask_compressed=self.file("xseg_file") if row["xseg_file"] else None,
        )
        wanted = FaceType.from_dfl(row["target_face_type"])
        kind = CropKind(wanted, row["resolution"], eyes_mouth=True)
        return make_crop(self.file("file"), data, kind, row["file"])

    def recoloured(self, image: np.ndarray) -> np.ndarray:
        if not self.row["ct_mode"]:
            return image
        jpeg = self.file("ct_file")
        reference = make_reference(jpeg, self.row["resolution"], "").image_bgr_u8 / np.float32(255)
        return TRANSFERS[self.row["ct_mode"]](image, reference, None)

    def geometry_and_jitter(self) -> tuple[SampleGeometry, HsvShift]:
        """By its seed; the jitter follows the move and the flip."""
        row = self.row
        rng = np.random.RandomState(row["derived_sample_seed"])
        affine = draw_affine(rng, row["scale_range"][1])
        mirrored = rng.randint(10) < 4 and row["random_flip"]
        power = row["random_hsv_shift_amount"]
        largest_deg = max(1, int(180 * power))
        jitter = HsvShift(
            rng.randint(-largest_deg, largest_deg + 1) % 360,
            (rng.random_sample() - 0.5) * power,
            (rng.random_sample() - 0.5) * power,
        )
        maps = reference_warp(row["derived_sample_seed"], row["resolution"])
        return SampleGeometry(affine, maps if row["warp"] else None, mirrored), jitter


def reference_samples() -> list[ReferenceSample]:
    folder = shared_path("golden", "imageops")
    rows = json.loads((folder / "index.json").read_text())["samples"]
    arrays = np.load(folder / "samples.npz", allow_pickle=False)
    return [ReferenceSample(row, folder, arrays) for row in rows]


def reference_warp(seed: int, side_px: int) -> tuple[np.ndarray, np.ndarray]:
    """The reference's maps: one the transposed other, and half a pixel off (trap T4)."""
    rng = np.random.RandomState(seed)
    cell_px = side_px // (2, 4, 8)[rng.randint(3)]
    nodes = side_px // cell_px + 1
    grid = np.tile(np.linspace(0, side_px, nodes), (nodes, 1))
    first, second = (_jitter(rng, nodes - 2) for _ in range(2))
    grid[1:-1, 1:-1] += (first + second.T) * cell_px * 0.24
    padded = cv2.resize(grid.astype(np.float32), (side_px + cell_px, side_px + cell_px))
    margin = cell_px // 2
    map_x = padded[margin:-margin, margin:-margin]
    return map_x, np.ascontiguousarray(map_x.T)


def _jitter(rng: np.random.RandomState, side: int) -> np.ndarray:
    numbers: list[float] = []
    while len(numbers) < side * side:
        number = rng.normal()
        if abs(number) <= 2.5:
            numbers.append(number / 2.5)
    return np.array(numbers).reshape(side, side)
