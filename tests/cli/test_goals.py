"""`facewright goals`, and `--goal` of `facewright run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.goals import GOALS, goal
from engine.protocol.model_files import newest_generation
from engine.protocol.workspace import Workspace
from tuiapp.cli.goals import goals, values_with_goal

TRAIN = catalog.stage("train")


def test_every_goal_is_listed_with_the_command_that_takes_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert goals(["--gpu-gib", "24"]) == 0
    shown = capsys.readouterr().out
    assert "a GPU of 24 GiB" in shown
    for one in GOALS:
        assert f"facewright run train --goal {one.id}\n" in shown


def test_a_goal_says_why_it_sets_each_option_and_that_memory_is_only_reckoned(
    capsys: pytest.CaptureFixture[str],
) -> None:
    goals(["good-1080p", "--gpu-gib=11"])
    shown = capsys.readouterr().out
    for stage_id in ("faces-extract", "xseg-train", "train", "merge"):
        for setting in goal("good-1080p").settings_for(stage_id, 11):
            assert setting.why in shown
    assert "--resolution 256" in shown
    assert "not measured" in shown and "train-preflight" in shown


def test_json_gives_values_that_the_stage_takes(capsys: pytest.CaptureFixture[str]) -> None:
    goals(["head-swap", "--gpu-gib", "0", "--json"])
    (told,) = json.loads(capsys.readouterr().out)
    values = {row["option"]: row["value"] for row in told["settings"]["train"]}
    assert values == goal("head-swap").values_for("train", 0)
    assert told["measured"] is False


def test_an_option_that_is_given_wins_over_the_goal(tmp_path: Path) -> None:
    words = ["--device", "cpu", "--goal", "good-1080p", "--resolution", "96", "--no-clipgrad"]
    values = values_with_goal(TRAIN, words, Workspace(tmp_path))
    expected = {**goal("good-1080p").values_for("train", 0), "device": "cpu"}
    assert values == {**expected, "resolution": "96", "clipgrad": False}


def test_another_model_class_takes_of_a_goal_what_it_has(tmp_path: Path) -> None:
    words = ["--device=cpu", "--goal=good-1080p", "--model-class=quick96"]
    values = values_with_goal(TRAIN, words, Workspace(tmp_path))
    assert values["batch_size"] == 4
    assert not {"archi", "resolution"} & set(values)


def test_a_model_that_exists_goes_on_with_its_own_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Workspace(tmp_path).model("anna", "saehd")
    save = folder / "generations" / "00000001"
    save.mkdir(parents=True)
    (save / "manifest.json").write_text(json.dumps({"iteration": 1, "options": {"resolution": 64}}))
    assert newest_generation(folder) is not None
    words = ["--device", "cpu", "--model", "anna", "--goal", "good-1080p"]
    values = values_with_goal(TRAIN, words, Workspace(tmp_path))
    assert values == {"device": "cpu", "model": "anna", "model_class": "saehd"}
    assert "goes on with its own options" in capsys.readouterr().err


def test_other_stages_take_what_the_goal_sets_in_them(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    extract = values_with_goal(catalog.stage("faces-extract"), ["--goal", "head-swap"], workspace)
    assert extract == {"face_type": "head"}
    merge = values_with_goal(catalog.stage("merge"), ["--goal", "head-swap"], workspace)
    assert merge == goal("head-swap").values_for("merge", 0)
    session = values_with_goal(catalog.stage("merge-session"), ["--goal", "head-swap"], workspace)
    assert session == {"model_class": "saehd"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--goal", "best"], "unknown goal 'best'"),
        (["--goal"], "--goal needs a value"),
        (["--goal", "--json"], "--goal needs a value"),
    ],
)
def test_a_goal_that_is_none_is_refused(tmp_path: Path, words: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        values_with_goal(TRAIN, words, Workspace(tmp_path))


def test_a_stage_of_which_the_goal_knows_nothing_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sets nothing in video-cut"):
        values_with_goal(catalog.stage("video-cut"), ["--goal", "fast-test"], Workspace(tmp_path))


def test_memory_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="--gpu-gib many: must be 0 to"):
        goals(["--gpu-gib", "many"])


def test_no_stage_has_an_option_that_goal_would_hide() -> None:
    for spec in catalog.STAGES:
        classes: list[str | None] = [model.id for model in catalog.models_of(spec)]
        for model_class in classes or [None]:
            assert "goal" not in {row.name for row in catalog.options_of(spec, model_class)}
