"""Shots are found where they begin, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from engine.media.images import write_image
from engine.media.shots import find_cuts, shots_of
from engine.protocol.errors import InputError, Stopped
from tests.support.shared import shared_path

Picture = npt.NDArray[np.uint8]


def scene(seed: int) -> Picture:
    """A pattern of strong, soft spots, wide enough to pan over."""
    spots = np.random.default_rng(seed).integers(60, 196, (5, 32, 3), np.uint8)
    return np.asarray(cv2.resize(spots, (512, 72), interpolation=cv2.INTER_CUBIC), np.uint8)


def pan(seed: int, count: int, step_px: int = 2) -> list[Picture]:
    return [scene(seed)[:, step_px * place : step_px * place + 128] for place in range(count)]


def written(folder: Path, pictures: Sequence[Picture]) -> list[Path]:
    paths = [folder / f"{number:05d}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        write_image(path, picture)
    return paths


def frames_of(clip: str, folder: Path) -> list[Path]:
    video = cv2.VideoCapture(str(shared_path(f"media/{clip}")))
    pictures = []
    while (read := video.read())[0]:
        pictures.append(cv2.resize(read[1], (320, 180), interpolation=cv2.INTER_AREA))
    return written(folder, pictures)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clip", "cuts"),
    [
        ("occlusion_mic_cuts.mp4", [20, 82]),
        ("pairA_src.mp4", []),
        ("pairA_dst.mp4", []),
        ("pairB_src.mp4", []),
        ("pairB_dst.mp4", []),
        ("two_faces.mp4", []),
        ("two_faces_large.mp4", []),
        ("occlusion_hand_eat.mkv", []),
        ("occlusion_hand_bird.mkv", []),
        ("occlusion_synthetic.mp4", []),
    ],
)
def test_the_cuts_of_real_clips_are_found_and_no_others(
    tmp_path: Path, clip: str, cuts: list[int]
) -> None:
    assert find_cuts(frames_of(clip, tmp_path)) == cuts


def test_a_shot_begins_where_another_scene_does(tmp_path: Path) -> None:
    paths = written(tmp_path, [*pan(1, 10), *pan(2, 3), *pan(3, 8)])
    assert find_cuts(paths) == [10, 13]


def test_a_shot_may_begin_with_the_last_frame(tmp_path: Path) -> None:
    assert find_cuts(written(tmp_path, [*pan(1, 6), *pan(2, 1)])) == [6]


def test_a_fast_pan_is_no_cut(tmp_path: Path) -> None:
    assert find_cuts(written(tmp_path, [*pan(1, 4), *pan(1, 12, step_px=32)])) == []


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    pictures = pan(1, 12)
    pictures[6] = np.full_like(pictures[6], 255)
    assert find_cuts(written(tmp_path, pictures)) == []


def test_a_frame_that_cannot_be_read_is_no_cut(tmp_path: Path) -> None:
    paths = written(tmp_path, [*pan(1, 6), *pan(2, 6)])
    for number in (0, 3):
        paths[number].write_bytes(b"no picture")
    assert find_cuts(paths) == [6]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_videos_of_few_frames_have_one_shot(tmp_path: Path, count: int) -> None:
    assert find_cuts(written(tmp_path, pan(1, count))) == []


def test_what_was_found_is_kept_until_a_frame_changes(tmp_path: Path) -> None:
    paths, cache = written(tmp_path, [*pan(1, 6), *pan(2, 6)]), tmp_path / "state" / "shots.json"
    looked: list[int] = []
    assert shots_of(paths, cache, looked.append) == [6]
    assert looked == list(range(1, 13))
    assert shots_of(paths, cache, looked.append) == [6]
    assert len(looked) == 12
    write_image(paths[0], pan(3, 1)[0])
    assert shots_of(paths, cache, looked.append) == [1, 6]


@pytest.mark.parametrize("content", [b"", b"[", b"3", b'{"version": 1, "cuts": [4]}', b"\xff\xfe"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, content: bytes) -> None:
    paths, cache = written(tmp_path, [*pan(1, 6), *pan(2, 6)]), tmp_path / "shots.json"
    cache.write_bytes(content)
    assert shots_of(paths, cache) == [6]
    assert shots_of(paths, cache) == [6]


def test_who_is_told_may_stop_the_search(tmp_path: Path) -> None:
    def stop(done: int) -> None:
        raise Stopped

    cache = tmp_path / "shots.json"
    with pytest.raises(Stopped):
        shots_of(written(tmp_path, pan(1, 3)), cache, stop)
    assert not cache.exists()


def test_a_frame_that_went_away_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png"):
        shots_of([tmp_path / "none.png"], tmp_path / "shots.json")
