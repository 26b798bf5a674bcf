"""What a stage was last started with, kept in the workspace to fill its form the next time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.protocol.files import write_atomically
from engine.protocol.spec import FRESH
from engine.protocol.workspace import Workspace, make_folder

# Starting afresh is a wish for one run, never a habit.
NOT_REMEMBERED = frozenset({FRESH.name})
MAX_BYTES = 256 * 1024


def remembered_values(workspace: Workspace, stage_id: str) -> dict[str, Any]:
    """The values of the stage's last start; {} if there was none or the file is not one."""
    path = _path(workspace, stage_id)
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def remember_values(workspace: Workspace, stage_id: str, values: Mapping[str, Any]) -> None:
    """Keep the values of a start. Raises `InputError` when they cannot be written."""
    kept = {name: value for name, value in values.items() if name not in NOT_REMEMBERED}
    path = _path(workspace, stage_id)
    make_folder(path.parent)
    write_atomically(path, json.dumps(kept, indent=1).encode(), durable=False)


def _path(workspace: Workspace, stage_id: str) -> Path:
    return workspace.state / "forms" / f"{stage_id}.json"
