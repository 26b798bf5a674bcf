"""Consents of people who are not there, for results that are no drafts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.protocol.consent import append_entry, consent_path, new_entry
from engine.protocol.workspace import SIDES, Workspace


def agree(root: Path) -> None:
    """Both sides agree to anything, if the workspace has no records yet."""
    if not consent_path(Workspace(root)).exists():
        for side in SIDES:
            agree_by(root, side, "Nobody", basis="synthetic-person", scopes=["any"])


def agree_by(root: Path, side: str, name: str, **said: Any) -> str:
    """One more record of the side; returns its id."""
    entry = new_entry(side, **{"name": name, "basis": "written-consent", "scopes": ["any"], **said})
    append_entry(Workspace(root), entry)
    return entry.consent.id
