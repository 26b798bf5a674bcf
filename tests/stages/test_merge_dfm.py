"""Merging real faces with ready-to-merge models, through the stage and the command."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.protocol.errors import InputError
from engine.protocol.merge_commands import MergeEdit
from engine.protocol.workspace import Workspace
from engine.stages.merge.chosen_nets import chosen_nets
from engine.stages.merge.run import run
from tests.detect.media import annotated_stills, still
from tests.merge.workspace import merge_workspace, write_face_of
from tests.models.dfm.made_dfm import made_dfm, with_weights_elsewhere
from tests.stages.merge_session.serving import serving
from tests.support.command import facewright
from tests.support.context import context_for
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow

PLAIN, MORPHING = "new_SAEHD_model", "new_AMP_model"
PEOPLE = 3


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Photographs of people with the landmarks that people set, and DeepFaceLab's models."""
    workspace = Workspace(tmp_path)
    workspace.dst.frames.mkdir(parents=True)
    workspace.models.mkdir()
    for number, row in enumerate(annotated_stills()[:PEOPLE], start=1):
        name = f"{number:05d}.png"
        cv2.imwrite(str(workspace.dst.frames / name), still(row["file"]))
        write_face_of(workspace, name, landmarks=np.array(row["landmarks"], float))
    for model in (PLAIN, MORPHING):
        shutil.copy(shared_path("golden", "dfm", f"{model}.dfm"), workspace.models)
    return workspace


def unusable_models(root: Path) -> Workspace:
    """A frame with a face, and files that are no models for faces."""
    workspace = merge_workspace(root, frames=1)
    made_dfm(workspace.models / "oblong.dfm", face=["n", 64, 48, 3])
    with_weights_elsewhere(workspace.models / "outside.dfm")
    shutil.copy(workspace.dst.frames / "00001.png", workspace.models / "photo.dfm")
    return workspace


def merged(workspace: Workspace, model: str, **options: Any) -> Any:
    """Run the stage; the whole predicted square is laid over the frame, whatever the masks say."""
    look = {"mask_mode": "full", "color_transfer_mode": "none", **options}
    chosen = {"model": model, "model_class": "dfm", "device": "cpu"}
    context = context_for(workspace.root, "merge", **chosen, **look)
    run(context)
    return context


def pictures(workspace: Workspace, folder: Path | None = None) -> np.ndarray:
    """All merged frames, or those of another folder, one above the other."""
    paths = sorted((folder or workspace.dst.merged).glob("*.png"))
    return np.concatenate([cv2.imread(str(path)).reshape(-1, 3) for path in paths]).astype(int)


def test_real_faces_are_merged_with_deepfacelabs_file_and_not_twice(workspace: Workspace) -> None:
    assert merged(workspace, PLAIN).facts["rendered"] == PEOPLE
    change = np.abs(pictures(workspace) - pictures(workspace, workspace.dst.frames)).max(axis=1)
    inside = pictures(workspace, workspace.dst.merged_mask)[:, 0]
    assert change[inside == 255].mean() > 10
    assert change[inside == 0].max() == 0
    assert merged(workspace, PLAIN).facts["kept"] == PEOPLE


def test_another_morph_factor_gives_other_faces(workspace: Workspace) -> None:
    merged(workspace, MORPHING)
    pure = pictures(workspace)
    assert merged(workspace, MORPHING, morph_factor=0.25).facts["rendered"] == PEOPLE
    assert np.abs(pictures(workspace) - pure).max() > 10


def test_a_morph_factor_that_the_file_has_no_use_for_is_warned_of(workspace: Workspace) -> None:
    context = merged(workspace, PLAIN, morph_factor=0.5)
    assert any("morph factor" in warning for warning in context.warnings)
    assert merged(workspace, MORPHING, morph_factor=0.5).warnings == []


def test_the_face_type_decides_how_much_of_the_head_is_merged(workspace: Workspace) -> None:
    covered = []
    for face_type in ("f", "auto", "head"):
        assert merged(workspace, PLAIN, face_type=face_type).facts["rendered"] == PEOPLE
        covered.append((pictures(workspace, workspace.dst.merged_mask) > 0).sum())
    assert covered == sorted(set(covered))


def test_a_file_that_was_replaced_by_another_renders_all_frames_again(workspace: Workspace) -> None:
    merged(workspace, PLAIN)
    shutil.copy(workspace.models / f"{MORPHING}.dfm", workspace.models / f"{PLAIN}.dfm")
    assert merged(workspace, PLAIN).facts["rendered"] == PEOPLE


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "oblong",
            r"oblong\.dfm cannot be merged with: its input in_face:0 float \[any, 64, 48, 3",
        ),
        ("outside", r"its weights are in another file"),
        ("photo", r"it is no ONNX file, or a damaged one"),
        ("nobody", r"there is no ready-to-merge model .*nobody\.dfm"),
    ],
)
def test_a_file_that_cannot_be_merged_with_is_refused_before_anything_changes(
    name: str, reason: str, tmp_path: Path
) -> None:
    workspace = unusable_models(tmp_path)
    with pytest.raises(InputError, match=reason) as refused:
        merged(workspace, name)
    assert refused.value.exit_status == 3 and refused.value.remedy
    assert not workspace.dst.merged.exists()


@pytest.mark.slow  # starts a process
def test_the_command_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    workspace = unusable_models(tmp_path)
    words = ("merge", "--model-class", "dfm", "--model", "photo", "--device", "cpu")
    outcome = facewright("run", *words, "-w", workspace.root)
    assert outcome.status == 3
    assert "photo.dfm cannot be merged with: it is no ONNX file" in outcome.stderr


def test_in_a_session_the_morph_factor_is_a_setting_of_a_morphing_file(
    workspace: Workspace,
) -> None:
    chosen = {"model": MORPHING, "model_class": "dfm"}
    nets = chosen_nets(context_for(workspace.root, "merge-session", device="cpu", **chosen))
    with serving(workspace, nets=nets, ahead=0, **chosen) as viewer:
        plain = {"color_transfer_mode": "none", "mask_mode": "full"}
        viewer.shown_after(MergeEdit(frame=0, changes=plain, seq=1))
        viewer.shown_after(MergeEdit(frame=0, changes={"morph_factor": 0.0}, seq=2))
        pure, morphed = (
            viewer.picture(where=lambda shown, seq=seq: not shown.proxy and shown.answered == seq)
            for seq in (1, 2)
        )
    assert np.abs(pure.astype(int) - morphed).max() > 10
