"""Bad input by the command line: exit status 2 or 3, a reason and a remedy, nothing changed."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from engine.faces.jpeg_segments import with_app15
from engine.media.images import write_image
from engine.protocol.workspace import Workspace
from tests.support.command import Outcome, facewright
from tests.support.disks import read_only, small_disk
from tests.support.tree import tree

pytestmark = pytest.mark.slow


class RunsCode:
    """Unpickled by the standard library, this makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.marker), "w")


def noise_bgr_u8(side: int = 256) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)


def make_clip(path: Path, *source: str) -> None:
    """A two-second file by ffmpeg's own test sources."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, "-t", "2", str(path)]
    subprocess.run(command, check=True)


def workspace_with_faces(root: Path, jpeg: bytes) -> Workspace:
    """Frames and, as the only face of both sides, `jpeg`."""
    workspace = Workspace(root)
    for side in (workspace.src, workspace.dst):
        side.aligned.mkdir(parents=True)
        write_image(side.frames / "00001.png", noise_bgr_u8())
        (side.aligned / "00001_0.jpg").write_bytes(jpeg)
    return workspace


def plain_jpeg(tmp_path: Path) -> bytes:
    write_image(tmp_path / "plain.jpg", noise_bgr_u8())
    data = (tmp_path / "plain.jpg").read_bytes()
    (tmp_path / "plain.jpg").unlink()
    return data


def refused(done: Outcome, *says: str) -> None:
    assert done.status in (2, 3), done.stderr
    for part in (*says, "->"):
        assert part in done.stderr
    assert "Traceback" not in done.stderr


def extract(root: Path) -> Outcome:
    return facewright("run", "video-extract", "-w", root, "--side", "src")


def test_a_text_file_named_mp4_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data_src.mp4").write_text("not a video\n" * 100)
    before = tree(tmp_path)
    refused(extract(tmp_path), "data_src.mp4")
    assert tree(tmp_path) == before


def test_a_video_without_pictures_is_refused(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_src.mp4", "-f", "lavfi", "-i", "sine")
    before = tree(tmp_path)
    refused(extract(tmp_path), "data_src.mp4")
    assert tree(tmp_path) == before


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        make_clip(disk / "data_src.mp4", "-f", "lavfi", "-i", "mandelbrot=size=640x360")
        before = tree(disk)
        refused(extract(disk), "disk", "MB")
        assert tree(disk) == before


def test_a_read_only_workspace_is_refused(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_src.mp4", "-f", "lavfi", "-i", "testsrc")
    before = tree(tmp_path)
    with read_only(tmp_path):
        refused(extract(tmp_path), "not allowed to write")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("stage", ["train", "merge"])
def test_faces_of_another_program_are_refused(tmp_path: Path, stage: str) -> None:
    workspace_with_faces(tmp_path, plain_jpeg(tmp_path))
    before = tree(tmp_path)
    refused(facewright("run", stage, "-w", tmp_path), "faces-extract")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("stage", ["train", "merge"])
def test_a_face_whose_metadata_would_run_code_is_refused_and_does_not_run(
    tmp_path: Path, stage: str
) -> None:
    marker = tmp_path / "ran"
    hostile = with_app15(plain_jpeg(tmp_path), pickle.dumps(RunsCode(marker)))
    workspace_with_faces(tmp_path, hostile)
    before = tree(tmp_path)
    refused(facewright("run", stage, "-w", tmp_path), "faces-extract")
    assert not marker.exists()
    assert tree(tmp_path) == before
    pickle.loads(pickle.dumps(RunsCode(marker)))  # the trap works where one steps into it
    assert marker.exists()


def test_truncated_frames_are_refused_by_name(tmp_path: Path) -> None:
    workspace = workspace_with_faces(tmp_path, plain_jpeg(tmp_path))
    (workspace.dst.frames / "00001.png").unlink()
    (workspace.dst.frames / "00001.jpg").write_bytes(plain_jpeg(tmp_path)[:5000])
    with_hog = ("--detector", "dlib-hog", "--fresh", "--yes")
    done = facewright("run", "faces-extract", "-w", tmp_path, "--side", "dst", *with_hog)
    refused(done, "00001.jpg")


def test_a_truncated_face_is_no_reason_to_run_without_a_word(tmp_path: Path) -> None:
    workspace_with_faces(tmp_path, plain_jpeg(tmp_path)[:5000])
    before = tree(tmp_path)
    refused(facewright("run", "train", "-w", tmp_path), "00001_0.jpg")
    assert tree(tmp_path) == before
