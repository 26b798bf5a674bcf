"""The list of models in a real terminal: each action by its key, done by a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.terminal import in_tmux
from tests.tuiapp.models_made import models_workspace

pytestmark = [pytest.mark.terminal, pytest.mark.slow]


def test_a_model_is_duplicated_renamed_deleted_and_brought_back(tmp_path: Path) -> None:
    workspace = models_workspace(tmp_path)
    with in_tmux(workspace.root, columns=80, rows=24) as terminal:
        terminal.wait_for("o Models")
        terminal.type("o")
        terminal.wait_for("hero  SAEHD  200 iterations", "villain", "a Actions")
        terminal.type("d")
        terminal.wait_for("Name of the duplicate")
        terminal.type("t", "w", "i", "n", "Enter")
        terminal.wait_for("twin  SAEHD  200 iterations", "Duplicate model: done")
        first = workspace.model("hero", "saehd") / "generations" / "00000200"
        second = workspace.model("twin", "saehd") / "generations" / "00000200"
        assert (second / "encoder.safetensors").samefile(first / "encoder.safetensors")
        terminal.type("r")
        terminal.wait_for("Rename the model", "now: hero")
        terminal.type("s", "t", "a", "r", "Enter")
        terminal.wait_for("star  SAEHD  200 iterations", "Rename model: done")
        assert not workspace.model("hero", "saehd").exists()
        terminal.type("g", "x")
        terminal.wait_for("Delete the model?")
        terminal.type("y")
        terminal.wait_for("Delete model: done")
        terminal.type("u")
        terminal.wait_for("Bring back model: done", "star  SAEHD", "twin  SAEHD")
