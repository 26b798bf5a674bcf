from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import textual._wait

from engine.protocol.workspace import Workspace
from tests.tuiapp.faces_made import made_faces, made_index
from tests.tuiapp.made import made_workspace


@pytest.fixture(autouse=True, scope="session")
def short_waits_for_idleness() -> Iterator[None]:
    """After each key Textual waits twice until the app did next to nothing for 20 ms, which is half
    of the time of these tests. What takes longer than a moment is waited for by `until`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textual._wait, "SLEEP_GRANULARITY", 0.005)
        patch.setattr(textual._wait, "SLEEP_IDLE", 0.0005)
        yield


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's real settings are read or written."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder / "facewright" / "settings.toml"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return made_workspace(tmp_path)


@pytest.fixture
def faces(workspace: Workspace) -> Workspace:
    """12 faces of src with an index."""
    for old in workspace.src.aligned.iterdir():
        old.unlink()
    made_faces(workspace.src.aligned, 12)
    made_index(workspace, "src")
    return workspace
