"""The workspace at a glance, and the next step."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine import catalog
from engine.protocol.consent import consent_path
from engine.protocol.consent_judgement import ConsentGlance
from engine.protocol.options import complete_values
from engine.protocol.survey import IMPORTABLE, NextStep, survey
from engine.protocol.workspace import Workspace, list_images
from tests.support.consent import agree_by


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")


def test_the_next_step_leads_from_two_videos_to_a_result(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    src, dst = workspace.src, workspace.dst

    def step() -> tuple[str | None, object]:
        found = survey(workspace).next_step
        return found.stage_id, found.values.get("side")

    assert step() == (None, None)
    touch(tmp_path / "data_src.mp4")
    assert step() == ("video-extract", "src")
    touch(src.frames / "00001.png")
    assert step() == ("faces-extract", "src")
    touch(src.aligned / "00001_0.jpg")
    assert step() == (None, None)
    touch(dst.frames / "00001.jpg")
    assert step() == ("faces-extract", "dst")
    touch(dst.pack)
    assert step() == ("train", None)
    touch(workspace.model("mine", "quick96") / "generations" / "00000042" / "manifest.json")
    assert step() == ("merge", None)
    touch(dst.merged / "00001.png")
    assert step() == ("consent-record", "src")
    agree_by(tmp_path, "src", "Anna")
    assert step() == ("consent-record", "dst")
    agree_by(tmp_path, "dst", "Bert")
    assert step() == ("video-render", None)
    touch(tmp_path / "result.mp4")
    assert step() == ("train", None)


def test_what_lies_beside_a_result_is_no_result_and_a_draft_is_one(tmp_path: Path) -> None:
    touch(tmp_path / "result.mp4.disclosure.md", tmp_path / "result.c2pa")
    assert survey(Workspace(tmp_path)).results == ()
    touch(tmp_path / "result_draft.mkv")
    assert [fact.name for fact in survey(Workspace(tmp_path)).results] == ["result_draft.mkv"]


def test_a_sides_consents_are_told_with_those_that_want_looking_at_first(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert survey(workspace).src.consent == ConsentGlance("none", allows_final=False)
    agree_by(tmp_path, "src", "Anna", valid_until=date(9999, 1, 1))
    agree_by(tmp_path, "src", "Bert", valid_until=date(2020, 1, 1))
    words = "expired: Bert to 2020-01-01; valid: Anna to 9999-01-01"
    assert survey(workspace).src.consent == ConsentGlance(words, allows_final=True)
    consent_path(workspace).write_text("{")
    assert "cannot be read" in survey(workspace).src.consent.words


def test_a_dfl_workspace_is_seen_with_counts_sizes_and_its_models(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    touch(tmp_path / "data_dst.MOV", tmp_path / "data_dst.txt")
    touch(workspace.dst.frames / "00001.PNG", workspace.dst.frames / "notes.txt")
    touch(workspace.dst.aligned / "00001_0.jpg", workspace.dst.aligned / ".hidden.jpg")
    touch(
        workspace.models / "my model_SAEHD_data.dat",
        workspace.models / "my model_SAEHD_encoder.npy",
    )
    touch(workspace.models / "XSeg_256.npy")
    touch(workspace.models / ".half_saehd.1a.part" / "generations" / "00000007" / "manifest.json")
    found = survey(workspace)
    assert found.dst.video is not None and found.dst.video.name == "data_dst.MOV"
    assert (found.dst.frames.count, found.dst.frames.bytes) == (1, 5)
    assert found.dst.faces.count == 1
    [model] = found.models
    assert (model.name, model.model_class, model.origin) == ("my model", "SAEHD", "dfl")


def test_a_dfl_model_is_to_be_imported_before_a_new_one_is_trained(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    touch(
        tmp_path / "data_src.mp4",
        tmp_path / "data_dst.mp4",
        *(side.frames / "00001.png" for side in (workspace.src, workspace.dst)),
        *(side.aligned / "00001_0.jpg" for side in (workspace.src, workspace.dst)),
        workspace.models / "XSeg_data.dat",
    )
    assert survey(workspace).next_step.stage_id == "train"
    touch(workspace.models / "my_médel_SAEHD_data.dat")
    step = survey(workspace).next_step
    assert step.stage_id == "model-import"
    assert step.values == {"model": "my m del", "model_class": "saehd", "dfl_name": "my_médel"}
    complete_values(catalog.options_of(catalog.stage("model-import")), step.values)
    touch(workspace.model("my m del", "saehd") / "generations" / "00000042" / "manifest.json")
    assert survey(workspace).next_step.stage_id == "merge"


def test_a_ready_made_model_needs_no_src_and_is_merged_with(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    dst = workspace.dst
    touch(workspace.models / "keanu_SAEHD_model.dfm", tmp_path / "data_dst.mp4")

    def step() -> NextStep:
        return survey(workspace).next_step

    assert step().stage_id == "video-extract" and step().values == {"side": "dst"}
    touch(dst.frames / "00001.png", dst.aligned / "00001_0.jpg")
    chosen = {"model": "keanu_SAEHD_model", "model_class": "dfm"}
    assert (step().stage_id, step().values) == ("merge", chosen)
    complete_values(catalog.options_of(catalog.stage("merge"), "dfm"), chosen)
    touch(dst.merged / "00001.png")
    assert step().stage_id == "video-render"
    touch(tmp_path / "result.mp4")
    assert (step().stage_id, step().values) == ("merge-session", chosen)
    complete_values(catalog.options_of(catalog.stage("merge-session"), "dfm"), chosen)


def test_a_trained_model_comes_before_one_that_was_exported_of_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for side in (workspace.src, workspace.dst):
        touch(side.frames / "00001.png", side.aligned / "00001_0.jpg")
    touch(workspace.model("mine", "quick96") / "generations" / "00000042" / "manifest.json")
    touch(workspace.models / "mine_SAEHD_model.dfm")
    found = survey(workspace)
    assert found.next_step.values == {"model": "mine", "model_class": "quick96"}
    ready = next(model for model in found.models if model.origin == "dfm")
    assert (ready.name, ready.model_class, ready.bytes) == ("mine_SAEHD_model", "dfm", 5)


def test_the_classes_to_be_imported_are_those_that_the_catalog_knows() -> None:
    assert {spec.dfl_class: spec.id for spec in catalog.MODELS if spec.dfl_class} == IMPORTABLE


def test_images_are_listed_as_strings_without_hidden_and_other_files(tmp_path: Path) -> None:
    touch(*(tmp_path / n for n in ("10.png", "9.JPG", ".1.png", "x.txt", "2.tiff")))
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    assert [path.name for path in list_images(tmp_path)] == ["10.png", "2.tiff", "9.JPG"]
    assert list_images(tmp_path / "none") == []


def test_trash_keeps_places_and_never_mixes_two_throws(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for content in (b"first", b"second"):
        touch(workspace.src.aligned / "a.jpg")
        (workspace.src.aligned / "a.jpg").write_bytes(content)
        folder = workspace.move_to_trash([workspace.src.aligned], "faces")
        assert folder is not None
        assert (folder / "data_src/aligned/a.jpg").read_bytes() == content
    assert len(list(workspace.trash.iterdir())) == 2
    assert workspace.move_to_trash([workspace.src.aligned], "faces") is None


def test_a_side_other_than_src_and_dst_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be src or dst"):
        Workspace(tmp_path).side("both")
