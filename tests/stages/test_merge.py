"""The merge stage on small made workspaces, with a predictor that paints every face green."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.models.predictor import Prediction
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.workspace import Workspace
from engine.stages.merge.ledger import Ledger
from engine.stages.merge.plan import collect_jobs
from engine.stages.merge.run import merge_frames
from engine.stages.merge.run import run as run_merge
from tests.merge.composing import fake_nets
from tests.merge.fakes import FakePredictor, round_predictor
from tests.merge.workspace import (
    FRAME_HW,
    made_landmarks,
    merge_workspace,
    write_face_of,
    write_frame,
)
from tests.support.context import context_for
from tests.support.disks import read_only, small_disk
from tests.support.tree import tree


def merge(
    workspace: Workspace,
    predictor: FakePredictor | None = None,
    *,
    confirmed: bool = False,
    stop_after: int | None = None,
    **options: Any,
) -> Any:
    """Run the stage with the fake predictor in place of a trained model."""
    context = context_for(workspace.root, "merge", confirmed=confirmed, **options)
    context.stop_after = stop_after
    merge_frames(context, collect_jobs(context), fake_nets(predictor or round_predictor()))
    return context


def picture(workspace: Workspace, stem: str) -> np.ndarray:
    return cv2.imread(str(workspace.dst.merged / f"{stem}.png"), cv2.IMREAD_UNCHANGED)


def mask(workspace: Workspace, stem: str) -> np.ndarray:
    return cv2.imread(str(workspace.dst.merged_mask / f"{stem}.png"), cv2.IMREAD_UNCHANGED)


def written_at(workspace: Workspace) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in workspace.dst.merged.iterdir()}


def outputs(workspace: Workspace) -> dict[str, str]:
    return {**tree(workspace.dst.merged), **tree(workspace.dst.merged_mask)}


def test_every_frame_gets_a_picture_and_a_mask_of_its_size(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    write_frame(workspace, "00003.png", seed=3, hw=(60, 90))
    write_face_of(workspace, "00003.png")
    context = merge(workspace)
    assert picture(workspace, "00001").shape == (*FRAME_HW, 3)
    assert mask(workspace, "00002").shape == FRAME_HW
    assert picture(workspace, "00003").shape == (60, 90, 3)
    assert context.facts["rendered"] == context.facts["faces"] == 3


def test_the_picture_changes_inside_the_mask_and_nowhere_else(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    merge(workspace, color_transfer_mode="none")
    frame = cv2.imread(str(workspace.dst.frames / "00001.png"))
    outside = mask(workspace, "00001") == 0
    assert np.array_equal(picture(workspace, "00001")[outside], frame[outside])
    inside = mask(workspace, "00001") == 255
    assert inside.sum() > 400
    assert np.abs(picture(workspace, "00001")[inside].astype(int) - (0, 204, 0)).max() <= 2


def test_a_frame_without_faces_passes_unchanged_with_a_black_mask(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2, without_face=(2,))
    grey_with_alpha = np.dstack([np.full((*FRAME_HW, 3), 90, np.uint8), np.full(FRAME_HW, 9)])
    cv2.imwrite(str(workspace.dst.frames / "00002.png"), grey_with_alpha.astype(np.uint8))
    context = merge(workspace)
    assert (picture(workspace, "00002") == 90).all()
    assert picture(workspace, "00002").shape == (*FRAME_HW, 3)
    assert not mask(workspace, "00002").any()
    assert context.facts["frames_without_faces"] == 1


def test_the_ledger_says_by_which_model_and_look_a_frame_was_altered_if_it_was(
    tmp_path: Path,
) -> None:
    workspace = merge_workspace(tmp_path, frames=3, without_face=(2,))
    merge(workspace)
    first = Ledger.of(workspace).rendered
    assert first["00001"].model == first["00003"].model != ""
    assert first["00001"].settings == first["00003"].settings != ""
    assert (first["00002"].model, first["00002"].settings) == ("", "")
    assert [first[stem].faces for stem in ("00001", "00002")] == [1, 0]
    merge(workspace, color_transfer_mode="none")
    second = Ledger.of(workspace).rendered
    assert second["00001"].model == first["00001"].model
    assert second["00001"].settings != first["00001"].settings


def test_several_faces_of_a_frame_are_all_merged(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    write_face_of(workspace, "00001.png", number=1, landmarks=made_landmarks(left=80, side=24))
    context = merge(workspace)
    halves = mask(workspace, "00001")[:, :60], mask(workspace, "00001")[:, 70:]
    assert min((half == 255).sum() for half in halves) > 200
    assert context.facts["frames_with_several_faces"] == 1


def test_nothing_is_rendered_twice(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3, without_face=(3,))
    merge(workspace)
    before = written_at(workspace)
    context = merge(workspace)
    assert written_at(workspace) == before
    assert context.facts["rendered"] == 0
    assert context.facts["kept"] == 3


def test_another_look_renders_the_frames_with_faces_again(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3, without_face=(3,))
    merge(workspace)
    before = written_at(workspace)
    merge(workspace, blur_mask_modifier=20)
    after = written_at(workspace)
    assert {stem for stem in after if after[stem] != before[stem]} == {"00001", "00002"}


def test_a_model_trained_further_renders_the_frames_again(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    merge(workspace)
    further = round_predictor()
    further.fingerprint = "second"
    assert merge(workspace, further).facts["rendered"] == 2


def test_only_the_frame_whose_face_changed_is_rendered_again(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    merge(workspace)
    write_face_of(workspace, "00002.png", landmarks=made_landmarks(left=34))
    before = written_at(workspace)
    assert merge(workspace).facts["rendered"] == 1
    assert written_at(workspace)["00002"] != before["00002"]


def test_a_stopped_run_goes_on_to_the_same_pictures(tmp_path: Path) -> None:
    whole = merge_workspace(tmp_path / "whole", frames=12, without_face=(4,))
    merge(whole)
    stopped = merge_workspace(tmp_path / "stopped", frames=12, without_face=(4,))
    with pytest.raises(Stopped):
        merge(stopped, stop_after=3)
    before = written_at(stopped)
    assert 3 <= len(before) < 12
    context = merge(stopped)
    assert context.facts["kept"] >= 3
    assert outputs(stopped) == outputs(whole)


@dataclass
class HangingPredictor(FakePredictor):
    """Never answers once it was given 40 faces: its run cannot end by itself."""

    faces: int = 0

    def predict(self, crops_bgr: np.ndarray, morph_factors: np.ndarray | None = None) -> Prediction:
        self.faces += len(crops_bgr)
        if self.faces >= 40:
            threading.Event().wait()
        return super().predict(crops_bgr)


def merge_and_hang(root: str) -> None:
    """What the killed process does."""
    plain = round_predictor()
    merge(Workspace(Path(root)), HangingPredictor(plain.face_bgr, plain.mask_src, plain.mask_dst))


@pytest.mark.slow  # starts processes
def test_a_killed_run_leaves_whole_files_and_goes_on_to_the_same_pictures(tmp_path: Path) -> None:
    whole = merge_workspace(tmp_path / "whole", frames=50)
    merge(whole)
    killed = merge_workspace(tmp_path / "killed", frames=50)
    script = "import sys; from tests.stages.test_merge import *; merge_and_hang(sys.argv[1])"
    command = [sys.executable, "-c", script, str(killed.root)]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 120
    while len(Ledger.of(killed).rendered) < 3:
        assert child.poll() is None
        assert time.monotonic() < deadline
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert all(picture(killed, stem) is not None for stem in written_at(killed) if stem[0] != ".")
    context = merge(killed)
    assert context.facts["kept"] >= 3
    assert context.facts["rendered"] > 0
    assert outputs(killed) == outputs(whole)


def test_output_of_a_frame_that_is_gone_goes_to_the_trash(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    merge(workspace)
    (workspace.dst.frames / "00002.png").unlink()
    merge(workspace)
    assert sorted(written_at(workspace)) == ["00001", "00003"]
    assert len(list(workspace.trash.rglob("00002.png"))) == 2


def test_pictures_of_others_are_kept_until_the_user_agrees(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    workspace.dst.merged.mkdir()
    theirs = workspace.dst.merged / "00001.png"
    theirs.write_bytes(b"hours of work")
    before = tree(workspace.dst.frames)
    with pytest.raises(ConfirmationNeeded):
        merge(workspace)
    assert tree(workspace.dst.frames) == before
    merge(workspace, confirmed=True)
    assert picture(workspace, "00001").shape == (*FRAME_HW, 3)
    assert [path.read_bytes() for path in workspace.trash.rglob("00001.png")] == [b"hours of work"]


def test_a_picture_changed_after_rendering_is_kept_in_the_trash(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    merge(workspace)
    (workspace.dst.merged / "00002.png").write_bytes(b"painted over")
    assert merge(workspace).facts["rendered"] == 1
    assert picture(workspace, "00002").shape == (*FRAME_HW, 3)
    assert [path.read_bytes() for path in workspace.trash.rglob("00002.png")] == [b"painted over"]


def test_fresh_renders_everything_again_and_keeps_the_old_in_the_trash(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    merge(workspace)
    with pytest.raises(ConfirmationNeeded):
        merge(workspace, fresh=True)
    assert merge(workspace, fresh=True, confirmed=True).facts["rendered"] == 2
    assert len(list(workspace.trash.rglob("0000?.png"))) == 4


def test_a_frame_that_cannot_be_read_is_named_after_all_others_are_done(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=4)
    (workspace.dst.frames / "00002.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"1 of 4 frames are not merged: .*00002\.png"):
        merge(workspace)
    assert sorted(written_at(workspace)) == ["00001", "00003", "00004"]


def test_two_frames_of_one_stem_are_refused_by_name(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    write_frame(workspace, "00001.jpg", seed=2)
    before = tree(tmp_path)
    with pytest.raises(InputError, match=r"00001\.jpg and 00001\.png"):
        merge(workspace)
    assert tree(tmp_path) == {**before, **_run_folder(tmp_path)}


def test_a_frame_whose_name_is_no_text_is_refused_before_anything_is_changed(
    tmp_path: Path,
) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    merge(workspace)
    before = tree(tmp_path)
    odd = workspace.dst.frames / os.fsdecode(b"fr\xe9.png")
    shutil.copy(workspace.dst.frames / "00001.png", odd)
    with pytest.raises(InputError, match=r"fr\\xe9\.png"):
        merge(workspace)
    odd.unlink()
    assert tree(tmp_path) == before


def test_frames_without_any_face_are_refused(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2, without_face=(1, 2))
    write_face_of(workspace, "other.png")
    with pytest.raises(InputError, match="nothing to merge"):
        merge(workspace)
    assert not workspace.dst.merged.exists()


def test_broken_and_foreign_faces_are_named_and_left_out(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    (workspace.dst.aligned / "holiday.jpg").write_bytes(
        cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    )
    (workspace.dst.aligned / "broken.jpg").write_bytes(b"\xff\xd8 broken")
    write_face_of(workspace, "00002.png", number=1, landmarks=np.zeros((68, 2)))
    context = merge(workspace)
    warned = "\n".join(context.warnings)
    assert all(name in warned for name in ("holiday.jpg", "broken.jpg", "00002_1.jpg"))
    assert context.facts["faces"] == 2


def test_raw_predict_gives_the_models_square_and_black_where_there_is_no_face(
    tmp_path: Path,
) -> None:
    workspace = merge_workspace(tmp_path, frames=2, without_face=(2,))
    merge(workspace, mode="raw-predict")
    assert picture(workspace, "00001").shape == (32, 32, 3)
    assert picture(workspace, "00001")[16, 16, 1] == 204
    assert picture(workspace, "00002").shape == (32, 32, 3)
    assert not picture(workspace, "00002").any()


def test_motion_blur_uses_the_neighbouring_frames(tmp_path: Path) -> None:
    still = merge_workspace(tmp_path / "still", frames=3)
    moving = merge_workspace(tmp_path / "moving", frames=3)
    for number in (1, 3):
        write_face_of(moving, f"0000{number}.png", landmarks=made_landmarks(left=15 + 15 * number))
    texture = round_predictor()
    texture.face_bgr = np.random.default_rng(1).random((32, 32, 3), dtype=np.float32)
    for workspace in (still, moving):
        merge(workspace, texture, motion_blur_power=60, color_transfer_mode="none")
    sharpness = [
        cv2.Laplacian(picture(w, "00002")[20:60, 25:65], cv2.CV_32F).std() for w in (still, moving)
    ]
    assert sharpness[1] < 0.7 * sharpness[0]


def test_a_model_that_was_never_saved_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    context = context_for(tmp_path, "merge", model="nobody")
    before = tree(tmp_path)
    with pytest.raises(InputError, match="no saved model nobody"):
        run_merge(context)
    assert tree(tmp_path) == before
    assert not workspace.dst.merged.exists()


def test_a_full_disk_is_an_input_error_and_what_is_finished_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "320k") as disk:
        workspace = merge_workspace(disk / "w", frames=9)
        with pytest.raises(InputError, match="disk is full"):
            merge(workspace)
        assert all(picture(workspace, stem) is not None for stem in written_at(workspace))


def test_a_read_only_folder_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    workspace.dst.merged.mkdir()
    with read_only(workspace.dst.merged), pytest.raises(InputError):
        merge(workspace)
    assert not list(workspace.dst.merged.iterdir())


def _run_folder(root: Path) -> dict[str, str]:
    return {name: kind for name, kind in tree(root).items() if name.startswith(".facewright")}
