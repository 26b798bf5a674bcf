"""What viewers may know of a model's folder, `model/NAME_CLASS/`, without loading it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GENERATIONS = "generations"  # the saves: one folder per iteration, written by engine.train
MODEL_PREVIEW = "preview.jpg"  # the latest preview
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST_BYTES = 1 << 20


def newest_generation(model_folder: Path) -> Path | None:
    """The folder of the newest save, unchecked; None if there is none."""
    generations = model_folder / GENERATIONS
    if not generations.is_dir():
        return None
    saves = [path for path in generations.iterdir() if path.name.isdigit() and path.is_dir()]
    return max(saves, key=lambda path: int(path.name), default=None)


def saved_options(model_folder: Path) -> dict[str, Any]:
    """The model's options as of its newest save; {} if there is none or it cannot be read (the
    engine then says what is wrong with it)."""
    newest = newest_generation(model_folder)
    if newest is None:
        return {}
    manifest = newest / _MANIFEST
    try:
        if manifest.stat().st_size > _LARGEST_MANIFEST_BYTES:
            return {}
        options = json.loads(manifest.read_bytes()).get("options")
    except (OSError, ValueError, AttributeError):
        return {}
    return options if isinstance(options, dict) else {}
