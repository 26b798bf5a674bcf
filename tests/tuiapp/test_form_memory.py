from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine import catalog
from engine.protocol.survey import ModelFact
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder, RunInfo, RunState
from engine.runtime.run_folder import Job
from tests.tuiapp.models_made import made_model
from tests.tuiapp.seen import opened, until
from tuiapp.forms.memory import (
    forget_model,
    forget_models_of,
    newest_model,
    remember_values,
    remembered_values,
)
from tuiapp.forms.stage_form import StageForm

ANNA = {"model": "anna", "model_class": "saehd"}


def test_what_a_stage_was_started_with_is_there_the_next_time(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    remember_values(workspace, "train", {"model": "a", "batch_size": 8})
    assert remembered_values(workspace, "train") == {"model": "a", "batch_size": 8}
    assert remembered_values(workspace, "merge") == {}


def test_starting_afresh_is_never_remembered(tmp_path: Path) -> None:
    remember_values(Workspace(tmp_path), "merge", {"fresh": True, "mode": "overlay"})
    assert remembered_values(Workspace(tmp_path), "merge") == {"mode": "overlay"}


def test_what_one_person_agreed_to_is_not_what_the_next_form_begins_with(tmp_path: Path) -> None:
    remember_values(Workspace(tmp_path), "consent-record", {"name": "Anna", "scope": "any"})
    assert remembered_values(Workspace(tmp_path), "consent-record") == {}
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_gone_is_forgotten_by_every_form_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    anna, berta = ({"model": name, "model_class": "saehd"} for name in ("anna", "berta"))
    remember_values(workspace, "train", {**anna, "batch_size": 8})
    remember_values(workspace, "merge", berta)
    forget_model(workspace, "anna", "saehd")
    assert remembered_values(workspace, "train") == {"batch_size": 8}
    assert remembered_values(workspace, "merge") == berta


def renamed_run(workspace: Workspace, *, ended_at: float) -> RunInfo:
    job = Job("model-rename", str(workspace.root), {**ANNA, "to": "star"})
    return RunInfo(RunFolder(workspace.runs / "r"), job, RunState.DONE, ended_at - 1, ended_at)


def test_a_model_that_a_command_renamed_is_forgotten_but_not_what_was_started_since(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    remember_values(workspace, "train", {**ANNA, "batch_size": 8})
    forget_models_of(workspace, [renamed_run(workspace, ended_at=time.time() - 60)])
    assert remembered_values(workspace, "train")["model"] == "anna"
    forget_models_of(workspace, [renamed_run(workspace, ended_at=time.time() + 60)])
    assert remembered_values(workspace, "train") == {"batch_size": 8}


async def test_a_form_begins_with_no_model_that_a_command_renamed(workspace: Workspace) -> None:
    made_model(workspace, "star")
    remember_values(workspace, "merge", ANNA)
    async with opened(workspace) as (app, pilot):
        app.board.infos.append(renamed_run(workspace, ended_at=time.time() + 60))
        app.open_form("merge")
        await until(pilot, lambda: app.screen.query(StageForm))
        assert app.screen.query_one(StageForm).state.values["model"] == "star"


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b'{"a":' + b" " * 300_000 + b"1}"])
def test_a_file_that_is_no_memory_is_like_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ".facewright" / "forms" / "train.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert remembered_values(Workspace(tmp_path), "train") == {}


def test_a_form_begins_with_the_newest_model_where_the_stage_works_on_one() -> None:
    dfl = ModelFact("theirs", "saehd", 9, 1, "dfl")
    models = (dfl, ModelFact("anna", "saehd", 9, 1, "facewright"))
    anna = {"model": "anna", "model_class": "saehd"}
    assert newest_model(catalog.stage("train"), models) == anna
    assert newest_model(catalog.stage("merge"), models) == anna
    assert newest_model(catalog.stage("model-import"), models) == {}
    assert newest_model(catalog.stage("video-cut"), models) == {}
    assert newest_model(catalog.stage("train"), (dfl,)) == {}


def test_a_form_for_merging_begins_with_a_ready_made_model_where_none_was_trained() -> None:
    ready = ModelFact("keanu", "dfm", None, 1, "dfm")
    anna = ModelFact("anna", "saehd", 9, 1, "facewright")
    chosen = {"model": "keanu", "model_class": "dfm"}
    assert newest_model(catalog.stage("merge"), (ready,)) == chosen
    assert newest_model(catalog.stage("merge-session"), (ready,)) == chosen
    assert newest_model(catalog.stage("merge"), (ready, anna))["model"] == "anna"
    assert newest_model(catalog.stage("train"), (ready,)) == {}
