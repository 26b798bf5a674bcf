"""Models as training would have left them, but for their weights."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from engine import catalog
from engine.protocol.history import HISTORY_NAME, SCHEMA, open_history, pack_losses
from engine.protocol.model_files import ABOUT, MANIFEST, MODEL_PREVIEW, About
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace
from tests.tuiapp.made import made_workspace

NETS = ("encoder", "inter_AB", "inter_B", "decoder", "src_dst_opt")


def made_model(
    workspace: Workspace,
    name: str,
    *,
    model_class: str = "saehd",
    iterations: tuple[int, ...] = (100, 200),
    snapshot: str = "",
    colour: tuple[int, int, int] | None = None,
    **options: Any,
) -> Path:
    """A model with these saves; the last one is the newest. Returns its folder."""
    folder = workspace.model(name, model_class)
    values = complete_values(catalog.model(model_class).options, options)
    for iteration in iterations:
        write_save(folder / "generations" / f"{iteration:08d}", iteration, values)
    if snapshot:
        write_save(folder / "snapshots" / snapshot, iterations[0], values)
        note = msgspec.json.encode(About(made_at=time.time(), note="before the eyes"))
        (folder / "snapshots" / snapshot / ABOUT).write_bytes(note)
    if colour is not None:
        Image.new("RGB", (64, 64), colour).save(folder / MODEL_PREVIEW)
    write_losses(folder, iterations[-1])
    return folder


def write_save(path: Path, iteration: int, options: Mapping[str, Any]) -> None:
    """A save whose weights are no weights: whoever reads them fails."""
    path.mkdir(parents=True)
    for net in NETS:
        (path / f"{net}.safetensors").write_bytes(b"never read" * 100)
    manifest = {
        "model_class": path.parents[1].name.rpartition("_")[2],
        "iteration": iteration,
        "seed": 7,
        "drawn": 4,
        "options": dict(options),
        "smoothed_loss": 100 / iteration,
        "saved_at": time.time() - 3600,
        "files": {},
    }
    (path / MANIFEST).write_bytes(msgspec.json.encode(manifest))


def write_losses(folder: Path, last: int) -> None:
    path = folder / HISTORY_NAME
    path.touch()
    connection = open_history(path)
    with connection:
        connection.executescript(SCHEMA)
        rows = [(i, 0.0, 0.0, pack_losses((2 / i, 1 / i))) for i in range(1, last + 1)]
        connection.executemany("INSERT INTO steps VALUES (?,?,?,?)", rows)
        connection.execute("INSERT INTO marks VALUES (?,?,?,?)", (150, 0.0, "backup", "backup x"))
    connection.close()


def models_workspace(root: Path) -> Workspace:
    """Both facesets, two models of ours, one of DeepFaceLab's, one of masks."""
    workspace = made_workspace(root)
    made_model(workspace, "villain", resolution=192, archi="df-ud")
    hero = {"resolution": 256, "archi": "liae-ud", "gan_power": 0.1}
    made_model(workspace, "hero", snapshot="good eyes", colour=(220, 20, 20), **hero)
    (workspace.models / "old_SAEHD_data.dat").write_bytes(b"never read")
    return workspace
