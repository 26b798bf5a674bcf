"""Preview pictures: made of columns of faces, written where viewers look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.protocol.files import write_atomically
from engine.protocol.model_files import MODEL_PREVIEW, page_folder_name

JPEG_QUALITY = 92


def page_of_columns(columns: Sequence[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """A picture (n*R, columns*R, 3) BGR of columns (n, R, R, 3) BGR 0..1; a row for each sample."""
    rows = np.concatenate([np.concatenate(list(column), axis=0) for column in columns], axis=1)
    return np.asarray(np.rint(np.clip(rows, 0, 1) * 255), np.uint8)


def write_previews(
    pages: dict[str, NDArray[np.uint8]], run_dir: Path, model_folder: Path
) -> dict[str, Path]:
    """Write each page to the run's folder, in one step, and the first to the model's folder as
    `preview.jpg`. Returns the pages' paths. Raises `InputError` if the disk does not take them."""
    paths = {}
    for page, image_bgr_u8 in pages.items():
        jpeg = cv2.imencode(".jpg", image_bgr_u8, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1]
        paths[page] = run_dir / f"preview-{page_folder_name(page)}.jpg"
        write_atomically(paths[page], jpeg.tobytes(), durable=False)
        if len(paths) == 1:
            write_atomically(model_folder / MODEL_PREVIEW, jpeg.tobytes(), durable=False)
    return paths
