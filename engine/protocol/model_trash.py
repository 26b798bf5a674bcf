"""Models in the workspace's trash, by the names of folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.protocol.model_files import GENERATIONS
from engine.protocol.workspace import Workspace

DELETED = "model-delete"  # what their folders in the trash are called after the time


@dataclass(frozen=True)
class DeletedModel:
    """A model that the stage model-delete put into `trash`, a folder of the trash, with everything
    in its place relative to the workspace."""

    name: str
    model_class: str
    trash: Path


def deleted_models(workspace: Workspace) -> list[DeletedModel]:
    """All that can be brought back, the one deleted last first. Raises `OSError` if the trash
    cannot be read."""
    if not workspace.trash.is_dir():
        return []
    found = []
    for trash in sorted(workspace.trash.glob(f"*-{DELETED}*"), reverse=True):
        for folder in sorted((trash / workspace.models.name).glob("*_*")):
            if (folder / GENERATIONS).is_dir():
                name, _, model_class = folder.name.rpartition("_")
                found.append(DeletedModel(name, model_class, trash))
    return found
