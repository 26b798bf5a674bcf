"""Results take their places as a whole: no kill and no full disk costs one."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.workspace import list_images
from engine.stages.video_cut.run import cut_video
from engine.stages.video_extract.run import extract_video
from engine.stages.video_render.disclosure import content_sha256
from tests.support.clips import listing, make_clip
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.support.results import decoded, merge_masks, merge_numbers, render

# Ends the process at the n-th renaming or linking of a file whose name says "result".
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.support.context import context_for
from engine.stages.video_render.run import render_video
left = int(sys.argv[2])
def killing(call):
    def made(self, *rest):
        global left
        if "result" in str(self) + str(rest):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return call(self, *rest)
    return made
Path.rename, Path.hardlink_to = killing(Path.rename), killing(Path.hardlink_to)
render_video(context_for(Path(sys.argv[1]), "video-render", confirmed=True, kind=sys.argv[3]))
"""


def frames_of(path: Path) -> int:
    return len(list_images(path)) if path.is_dir() else len(decoded(path)[0])


def in_trash(root: Path, name: str) -> list[Path]:
    return sorted((root / ".facewright" / "trash").glob(f"*/{name}"))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("mp4", "result.mp4"), ("png-sequence", "result")])
def test_a_kill_while_results_take_their_places_costs_neither_the_old_nor_the_new(
    tmp_path: Path, kind: str, name: str, share_of_kills: float
) -> None:
    step = 1 if share_of_kills == 1 else 3
    merge_numbers(tmp_path, range(3))
    merge_masks(tmp_path, 3)
    render(tmp_path, kind=kind, mask=False)
    at = 0
    while True:
        at += step
        root = tmp_path.with_name(f"{tmp_path.name}-{at}")
        shutil.copytree(tmp_path, root)
        shutil.rmtree(root / "data_dst")
        merge_numbers(root, range(5))
        merge_masks(root, 5)
        words = [sys.executable, "-c", KILLED, str(root), str(at), kind]
        status = subprocess.run(words, check=False).returncode
        if status == 0:
            break
        assert status == -signal.SIGKILL
        # Only a folder cannot be replaced in one step.
        assert (root / name).exists() or kind == "png-sequence"
        found = [root / name] if (root / name).exists() else []
        kept = [*found, *in_trash(root, name), *root.glob(f".result.whole/{name}")]
        assert {3} <= {frames_of(path) for path in kept}
        finished = (root / ".result.whole").exists()
        with pytest.raises(ConfirmationNeeded):
            render(root, kind=kind)  # puts what was finished into its place, then asks
        assert frames_of(root / name) == (5 if finished else 3)
        sheet = json.loads((root / f"{name}.disclosure.json").read_text())
        assert sheet["sha256"] == content_sha256(root / name)
        assert not list(root.glob(".result*"))
    assert at > 4
    assert frames_of(root / name) == 5


def test_the_earlier_result_stays_in_its_place_until_the_new_one_takes_it(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(3))
    render(tmp_path)
    inode = (tmp_path / "result.mp4").stat().st_ino
    render(tmp_path, confirmed=True)
    (kept,) = in_trash(tmp_path, "result.mp4")
    assert kept.stat().st_ino == inode


@pytest.mark.parametrize("kind", ["mp4", "ffv1", "png-sequence"])
def test_a_full_disk_leaves_no_half_result_of_any_sort(tmp_path: Path, kind: str) -> None:
    with small_disk(tmp_path / "disk", "900k") as root:
        merge_numbers(root, range(10))
        (root / "filler").write_bytes(bytes(shutil.disk_usage(root).free - 6_000))
        with pytest.raises(InputError) as refused:
            render(root, kind=kind)
        assert refused.value.code == "disk-full"
        assert not list(root.glob("*result*")) + list(root.glob(".result*"))


def test_a_folder_in_the_place_of_a_result_goes_to_the_trash_with_what_is_in_it(
    tmp_path: Path,
) -> None:
    merge_numbers(tmp_path, range(3))
    (tmp_path / "result.mp4").mkdir()
    (tmp_path / "result.mp4" / "mine.txt").write_text("kept")
    with pytest.raises(ConfirmationNeeded):
        render(tmp_path)
    render(tmp_path, confirmed=True)
    (kept,) = in_trash(tmp_path, "result.mp4")
    assert (kept / "mine.txt").read_text() == "kept"


def test_of_several_destination_videos_the_one_taken_is_named(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mov", frames=3)
    make_clip(tmp_path / "data_dst.mp4", frames=5)
    told = "several videos of dst: data_dst.mov, data_dst.mp4; data_dst.mov is taken"
    extracting = context_for(tmp_path, "video-extract")
    extract_video(extracting)
    cutting = context_for(tmp_path, "video-cut", side="dst")
    cut_video(cutting)
    merge_numbers(tmp_path, range(3))
    for context in (extracting, cutting, render(tmp_path)):
        assert told in context.warnings[0]


def test_nothing_is_left_beside_a_result(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(3))
    merge_masks(tmp_path, 3)
    before = set(listing(tmp_path))
    render(tmp_path)
    sheets = {"result.mp4.disclosure.json", "result.mp4.disclosure.md"}
    assert set(listing(tmp_path)) - before == {"result.mp4", "result_mask.mp4"} | sheets
    assert {path.name for path in (tmp_path / ".facewright").iterdir()} == {"consent.json", "runs"}
