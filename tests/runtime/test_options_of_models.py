"""Options of a model that exists: what it was trained with stays unless said otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.options import Life
from engine.protocol.workspace import Workspace
from engine.runtime.client.launch import complete_options


def workspace_with_model(root: Path, options: dict[str, Any]) -> Workspace:
    workspace = Workspace(root)
    folder = workspace.model("new", "quick96") / "generations" / "00000007"
    folder.mkdir(parents=True)
    facts = {"iteration": 7, "saved_at": 1.0, "options": options}
    (folder / "manifest.json").write_text(json.dumps(facts))
    return workspace


def test_a_model_goes_on_with_the_options_it_was_trained_with(tmp_path: Path) -> None:
    workspace = workspace_with_model(tmp_path, {"batch_size": 2, "random_src_flip": True})
    train = catalog.stage("train")
    assert complete_options(workspace, train, {})["batch_size"] == 2
    assert complete_options(workspace, train, {})["random_src_flip"] is True
    assert complete_options(workspace, train, {"batch_size": "8"})["batch_size"] == 8
    assert complete_options(workspace, train, {"model": "other"})["batch_size"] == 4


def test_an_option_fixed_at_creation_is_refused_with_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick96 = catalog.model("quick96")
    fixed = tuple(replace(option, life=Life.CREATION) for option in quick96.options)
    monkeypatch.setattr(catalog, "MODELS", (replace(quick96, options=fixed),))
    workspace = workspace_with_model(tmp_path, {"batch_size": 2})
    with pytest.raises(UsageError, match="made with 2"):
        complete_options(workspace, catalog.stage("train"), {"batch_size": 8})
    assert complete_options(workspace, catalog.stage("train"), {"batch_size": 2})["batch_size"] == 2


def test_the_runs_own_options_go_on_as_well_unless_they_are_for_one_run(tmp_path: Path) -> None:
    workspace, train = workspace_with_model(tmp_path, {}), catalog.stage("train")
    last = {"precision": "bf16", "autobackup_hour": 3, "max_minutes": 5.0, "seed": 9}
    path = workspace.model("new", "quick96") / "last_options.json"
    path.write_text(json.dumps({"of_run": last}))
    goes_on = complete_options(workspace, train, {})
    assert (goes_on["precision"], goes_on["autobackup_hour"]) == ("bf16", 3)
    assert (goes_on["max_minutes"], goes_on["seed"]) == (0.0, 0)
    assert complete_options(workspace, train, {"precision": "float32"})["precision"] == "float32"


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"options": 3}', "\\x00"])
def test_a_damaged_manifest_leaves_the_defaults(tmp_path: Path, manifest: str) -> None:
    workspace = workspace_with_model(tmp_path, {})
    [path] = tmp_path.rglob("manifest.json")
    path.write_text(manifest)
    assert complete_options(workspace, catalog.stage("train"), {})["batch_size"] == 4
