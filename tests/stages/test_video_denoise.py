"""The stage video-denoise, through its own door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.media.images import read_image_bgr_u8, write_image
from engine.protocol.errors import ConfirmationNeeded, Stopped
from engine.protocol.workspace import Workspace, list_images
from tests.stages.facesets import names, run_apart, run_stage
from tests.support.tree import tree

STAGE = "video-denoise"
COUNT = 6


def noisy_frames(root: Path) -> dict[str, bytes]:
    """Frames of a still picture with noise, PNG and JPEG; returns name -> content."""
    folder = Workspace(root).dst.frames
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(1, COUNT + 1):
        image = np.clip(rng.normal(120, 8, (64, 96, 3)), 0, 255).astype(np.uint8)
        write_image(folder / f"{number:05d}.{'jpg' if number == COUNT else 'png'}", image)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in list_images(folder)}


def trashed(root: Path) -> dict[str, bytes]:
    found = Workspace(root).trash.rglob("0*.*") if Workspace(root).trash.is_dir() else []
    return {path.name: path.read_bytes() for path in found}


def roughness(path: Path) -> float:
    return float(read_image_bgr_u8(path).astype(float).std())


def test_frames_keep_their_names_lose_noise_and_the_originals_are_in_the_trash(
    tmp_path: Path,
) -> None:
    originals = noisy_frames(tmp_path)
    folder = Workspace(tmp_path).dst.frames
    before = {name: roughness(folder / name) for name in originals}
    context = run_stage(tmp_path, STAGE, confirmed=True)
    assert names(folder) == sorted(originals)
    assert trashed(tmp_path) == originals
    assert all(roughness(folder / name) < 0.8 * before[name] for name in list(originals)[2:])
    assert not (folder / "denoised").exists()
    assert context.facts["denoised"] == COUNT


def test_nothing_is_touched_without_the_users_word(tmp_path: Path) -> None:
    noisy_frames(tmp_path)
    before = tree(Workspace(tmp_path).dst.frames)
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, STAGE)
    assert tree(Workspace(tmp_path).dst.frames) == before


def test_a_stopped_run_ends_with_the_same_frames_as_one_in_one_go(tmp_path: Path) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    originals = noisy_frames(stopped)
    noisy_frames(whole)
    with pytest.raises(Stopped):
        run_stage(stopped, STAGE, confirmed=True, stop_after=3)
    for name, content in contents(Workspace(stopped).dst.frames).items():
        assert originals[name] in (content, trashed(stopped).get(name))
    run_stage(stopped, STAGE, confirmed=True)
    run_stage(whole, STAGE, confirmed=True)
    assert contents(Workspace(stopped).dst.frames) == contents(Workspace(whole).dst.frames)
    assert trashed(stopped) == originals


def test_a_frame_that_cannot_be_read_stays_as_it_is(tmp_path: Path) -> None:
    noisy_frames(tmp_path)
    bad = Workspace(tmp_path).dst.frames / "00003.png"
    bad.write_bytes(b"no picture")
    context = run_stage(tmp_path, STAGE, confirmed=True)
    assert bad.read_bytes() == b"no picture"
    assert all(context.remedies)
    assert (context.facts["denoised"], context.facts["left_out"]) == (COUNT - 1, 1)
    assert "00003.png" in context.warnings[0]


@pytest.mark.slow
def test_killed_at_any_moment_every_frame_is_whole_under_its_own_name(
    tmp_path: Path, share_of_kills: float
) -> None:
    fatal, was_killed = 1, True
    while was_killed:
        root = tmp_path / str(fatal)
        originals = noisy_frames(root)
        folder = Workspace(root).dst.frames
        was_killed = run_apart(root, STAGE, fatal=fatal) is None
        for name, original in originals.items():
            read_image_bgr_u8(folder / name)
            assert original in ((folder / name).read_bytes(), trashed(root).get(name))
        if was_killed:
            run_apart(root, STAGE)
            assert names(folder) == sorted(originals)
            assert trashed(root) == originals
        fatal += round(1 / share_of_kills)
    assert fatal > 30
