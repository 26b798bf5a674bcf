"""The merge stage by a timeline: each frame and face with its own look, and only what changed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.merge.face_nets import FaceNets
from engine.protocol.errors import InputError
from engine.protocol.look import Look
from engine.protocol.timeline import LINEAR, Key, Timeline
from engine.protocol.timeline_file import timeline_path, write_timeline
from engine.protocol.workspace import Workspace
from engine.stages.merge.enlarger import load_enlarger
from engine.stages.merge.plan import collect_jobs
from engine.stages.merge.run import merge_frames
from engine.stages.merge.segmenter import load_segmenter
from tests.merge.composing import NearestEnlarger
from tests.merge.fakes import round_predictor
from tests.merge.workspace import made_landmarks, merge_workspace, write_face_of
from tests.models.xseg.made_xseg import write_dfl_xseg
from tests.stages.test_merge import mask, merge, outputs, picture, written_at
from tests.support.context import RecordingContext, context_for
from tests.support.tree import tree

PLAIN = Look(color_transfer_mode="none")
SOFT = Look(color_transfer_mode="none", blur_mask_modifier=40)
ORIGINAL = Look(mode="original")


def set_timeline(workspace: Workspace, *keys: Key, default: Look = PLAIN) -> Path:
    """The timeline of the model that the stage's options name by default."""
    options = context_for(workspace.root, "merge").options
    path = timeline_path(workspace, options["model"], options["model_class"])
    stems = [job.stem for job in collect_jobs(context_for(workspace.root, "merge"))]
    write_timeline(path, Timeline(keys=keys, default=default), stems)
    return path


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {stem for stem in after if after[stem] != before.get(stem)}


def test_each_frame_is_rendered_with_the_look_that_the_timeline_gives_it(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path / "timeline", frames=3)
    set_timeline(workspace, Key(1, "", SOFT), Key(2, "", PLAIN))
    merge(workspace)
    for stem, look in (("00001", PLAIN), ("00002", SOFT), ("00003", PLAIN)):
        alone = merge_workspace(tmp_path / stem, frames=3)
        merge(alone, color_transfer_mode="none", blur_mask_modifier=look.blur_mask_modifier)
        assert np.array_equal(picture(workspace, stem), picture(alone, stem))
        assert np.array_equal(mask(workspace, stem), mask(alone, stem))


def test_only_frames_whose_look_changed_are_rendered_again(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=6, without_face=(5,))
    set_timeline(workspace, Key(2, "", SOFT))
    merge(workspace)
    before = written_at(workspace)
    set_timeline(workspace, Key(2, "", SOFT), Key(3, "", PLAIN), Key(5, "", SOFT))
    context = merge(workspace)
    assert changed(before, written_at(workspace)) == {"00004"}
    assert context.facts["kept"] == 5


def test_looks_on_their_way_to_the_next_key_are_rendered_in_between(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=5)
    set_timeline(workspace, Key(0, "", PLAIN, LINEAR), Key(4, "", SOFT))
    merge(workspace)
    white_px = [int((mask(workspace, f"0000{n}") == 255).sum()) for n in range(1, 6)]
    assert white_px == sorted(white_px, reverse=True)
    assert len(set(white_px)) == 5


def test_faces_of_one_frame_have_looks_of_their_own(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    for number in (1, 2):
        right = made_landmarks(left=80, side=24)
        write_face_of(workspace, f"0000{number}.png", number=1, landmarks=right)
    set_timeline(workspace, Key(0, "b", ORIGINAL))
    merge(workspace)
    is_green = np.abs(picture(workspace, "00002").astype(int) - (0, 204, 0)).max(axis=2) <= 2
    assert is_green[35:45, 42:48].all()
    assert not is_green[:, 78:].any()


def test_without_the_timeline_all_frames_have_the_look_of_the_options(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path / "with", frames=2)
    set_timeline(workspace, Key(0, "", ORIGINAL))
    merge(workspace, timeline="none", blur_mask_modifier=9)
    plain = merge_workspace(tmp_path / "plain", frames=2)
    merge(plain, blur_mask_modifier=9)
    assert outputs(workspace) == outputs(plain)


def test_options_that_a_timeline_overrules_are_named(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    set_timeline(workspace)
    [warning] = merge(workspace, blur_mask_modifier=9).warnings
    assert "blur_mask_modifier" in str(warning)


def test_a_timeline_that_is_not_there_is_refused_before_anything_is_changed(
    tmp_path: Path,
) -> None:
    workspace = merge_workspace(tmp_path, frames=1)
    before = tree(workspace.dst.frames)
    with pytest.raises(InputError, match=r"no timeline .*mine\.toml"):
        merge(workspace, timeline=str(tmp_path / "mine.toml"))
    assert tree(workspace.dst.frames) == before


def test_squares_among_frames_are_told_of(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=3)
    set_timeline(workspace, Key(2, "", Look(mode="raw-predict")))
    assert "1 of 3 frames" in str(merge(workspace).warnings[0])


def test_squares_of_raw_predict_have_one_size_with_and_without_a_face(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2, without_face=(2,))
    merge(workspace, mode="raw-predict", super_resolution_power=30)
    assert picture(workspace, "00001").shape == picture(workspace, "00002").shape == (128, 128, 3)


@pytest.mark.parametrize(
    ("options", "code"),
    [({"super_resolution_power": 10}, "no-weights"), ({"mask_mode": "XSeg-prd"}, "no-xseg")],
    ids=["enhancer", "xseg"],
)
def test_a_net_that_is_not_there_is_told_of_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], code: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    workspace = merge_workspace(tmp_path, frames=1)
    before = tree(workspace.dst.frames)
    context = context_for(workspace.root, "merge", **options)
    nets = FaceNets(round_predictor(), lambda: load_enlarger(context))
    with pytest.raises(InputError) as refused:
        merge_frames(context, collect_jobs(context), nets)
    assert refused.value.code == code
    assert refused.value.remedy
    assert tree(workspace.dst.frames) == before


def test_another_enhancer_renders_again_only_where_it_was_used(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    set_timeline(workspace, Key(1, "", Look(super_resolution_power=50)))
    merge(workspace)
    context = context_for(workspace.root, "merge")
    nets = FaceNets(round_predictor(), lambda: NearestEnlarger("other"))
    merge_frames(context, collect_jobs(context), nets)
    assert context.facts["rendered"] == 1


@pytest.mark.slow  # loads nets
def test_masks_by_xseg_are_those_of_the_net_that_is_named_and_another_net_renders_again(
    tmp_path: Path,
) -> None:
    workspace = merge_workspace(tmp_path, frames=2)
    folders = [write_dfl_xseg(tmp_path / str(seed), seed=seed) for seed in (7, 9)]

    def merged(folder: Path, mask_mode: str) -> RecordingContext:
        options = {"xseg_model": str(folder), "mask_mode": mask_mode, "device": "cpu"}
        context = context_for(workspace.root, "merge", **options)
        predictor = round_predictor()
        load_xseg = partial(load_segmenter, context, predictor.face_type)
        nets = FaceNets(predictor, lambda: load_enlarger(context), load_xseg)
        merge_frames(context, collect_jobs(context), nets)
        return context

    assert merged(folders[0], "learned-prd").facts["rendered"] == 2
    first = merged(folders[0], "XSeg-dst")
    assert first.facts["rendered"] == 2
    assert any("trained for whole_face" in text for text in first.warnings)
    by_first = mask(workspace, "00001")
    assert merged(folders[0], "XSeg-dst").facts["rendered"] == 0
    assert merged(folders[1], "XSeg-dst").facts["rendered"] == 2
    assert not np.array_equal(mask(workspace, "00001"), by_first)


def test_a_preset_is_the_look_of_its_options(tmp_path: Path) -> None:
    one, other = (merge_workspace(tmp_path / name, frames=1) for name in ("one", "other"))
    merge(one, preset="dfl1-hist-match", mask_mode="dst")
    spelt = {"mode": "hist-match", "color_transfer_mode": "none", "hist_match_threshold": 255}
    merge(other, **spelt, mask_mode="dst")
    assert outputs(one) == outputs(other)
