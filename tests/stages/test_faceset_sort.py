"""Sorting facesets: every face keeps its content, nothing is lost, all can be taken back."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import cv2
import pytest

from engine.faces.face_file import encode_face_jpeg
from engine.faces.sorting.moves import Move, MovePlan, carry_out
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import InputError, Stopped
from engine.stages.faceset_sort.run import run
from tests.faces.face_files import face_data, picture
from tests.stages.sorting import (
    contents,
    make_faces,
    names,
    plan_file,
    sort,
    sort_until_killed,
)
from tests.support.clips import listing
from tests.support.command import facewright
from tests.support.context import RecordingContext, context_for
from tests.support.disks import small_disk
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow


def brightness(path: Path) -> float:
    return float(cv2.cvtColor(read_image_bgr_u8(path), cv2.COLOR_BGR2HSV)[:, :, 2].mean())


def test_sorting_numbers_the_faces_in_the_new_order_and_changes_none(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 12)
    before = contents(folder)
    context = sort(tmp_path, "brightness")
    assert names(folder) == [f"{number:05d}.jpg" for number in range(12)]
    values = [brightness(folder / name) for name in names(folder)]
    assert values == sorted(values, reverse=True)
    assert contents(folder) == before
    assert context.facts["faces"] == 12
    assert context.facts["trashed"] == 0


def test_a_whole_sort_ends_as_DeepFaceLab_ended_it(tmp_path: Path) -> None:
    golden = json.loads(shared_path("golden", "sort", "expected_rename.json").read_text())
    source = shared_path("golden", "sort", "faceset")
    folder = tmp_path / "data_src" / "aligned"
    shutil.copytree(source, folder)
    sort(tmp_path, golden["method"], target=golden["target"])
    assert {
        name: (source / old).read_bytes()
        for name, old in sorted(golden["new_name_to_old_name"].items())
    } == {name: (folder / name).read_bytes() for name in names(folder)}
    (trash,) = (tmp_path / "data_src" / "aligned_trash").iterdir()
    assert names(trash) == sorted(golden["trash"])


def test_a_frame_whose_name_is_no_text_does_not_end_the_sort(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 2)
    odd = encode_face_jpeg(picture(), 80, face_data(source_filename="a\ud800.png"))
    (folder / "odd.jpg").write_bytes(odd)
    assert sort(tmp_path, "origname").facts["faces"] == 3
    assert (folder / "00002.jpg").read_bytes() == odd


@pytest.mark.parametrize("method", ["blur", "hist", "hist-dissim", "absdiff", "final"])
def test_progress_ends_with_all_faces(tmp_path: Path, method: str) -> None:
    make_faces(tmp_path, 4)
    assert sort(tmp_path, method).reported[-1] == (4, 4)


def test_trash_of_an_earlier_sort_stays_where_it_is(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 12)
    before = contents(folder)
    sort(tmp_path, "final", target=6)
    sort(tmp_path, "final", target=3)
    first, second = sorted((tmp_path / "data_src" / "aligned_trash").iterdir())
    assert names(first)
    assert names(second)
    assert contents(tmp_path / "data_src") == before


@pytest.mark.parametrize("method", ["brightness", "final", "blur", "oneface"])
def test_undo_gives_every_face_its_name_and_place_back(tmp_path: Path, method: str) -> None:
    folder = make_faces(tmp_path, 12, size_px=96)
    (folder / "00003_1.jpg").write_bytes(b"no face at all")
    before = listing(tmp_path / "data_src")
    sort(tmp_path, method, target=4)
    assert listing(tmp_path / "data_src") != before
    sort(tmp_path, undo=True)
    assert listing(tmp_path / "data_src") == before
    assert not (tmp_path / "data_src" / "aligned_trash").exists()


def test_faces_that_a_link_keeps_on_another_disk_are_trashed_and_come_back(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        (tmp_path / "data_src").mkdir()
        (tmp_path / "data_src" / "aligned").symlink_to(disk)
        folder = make_faces(tmp_path, 6, size_px=96)
        (folder / "00003_1.jpg").write_bytes(b"no face at all")
        before = listing(disk)
        context = sort(tmp_path, "blur")
        assert context.facts["trashed"] == 1
        assert len(names(tmp_path / "data_src" / "aligned")) == 6
        sort(tmp_path, undo=True)
        assert listing(disk) == before


def test_a_face_that_was_copied_to_the_other_disk_before_a_kill_is_not_in_the_way(
    tmp_path: Path,
) -> None:
    plan = MovePlan("a sort", (Move("disk/a.jpg", "trash/a.jpg", "trash/a.jpg"),), {})
    with small_disk(tmp_path / "disk", "1m") as disk:
        (disk / "a.jpg").write_bytes(b"face")
        (tmp_path / "trash").mkdir()
        (tmp_path / "trash" / "a.jpg").write_bytes(b"another")
        with pytest.raises(InputError, match="in the way"):
            carry_out(tmp_path, tmp_path / "plan.json", plan)
        (tmp_path / "trash" / "a.jpg").write_bytes(b"face")
        assert carry_out(tmp_path, tmp_path / "plan.json", plan) == []
        assert not list(disk.iterdir())


def test_only_the_last_sort_can_be_undone_and_only_once(tmp_path: Path) -> None:
    make_faces(tmp_path, 4)
    with pytest.raises(InputError, match="no sort of src to undo"):
        sort(tmp_path, undo=True)
    sort(tmp_path)
    sort(tmp_path, undo=True)
    with pytest.raises(InputError, match="no sort of src to undo"):
        sort(tmp_path, undo=True)


def test_undo_tells_of_faces_deleted_since_and_restores_the_others(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 5)
    before = names(folder)
    sort(tmp_path)
    (folder / "00002.jpg").unlink()
    context = sort(tmp_path, undo=True)
    assert len(set(before) & set(names(folder))) == len(names(folder)) == 4
    assert any("00002.jpg" in note for note in context.notes)


def test_undo_is_refused_when_new_faces_have_taken_the_old_names(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 5)
    sort(tmp_path)
    (folder / "00001_0.jpg").write_bytes((folder / "00001.jpg").read_bytes())
    before = listing(tmp_path / "data_src")
    with pytest.raises(InputError, match=r"00001_0\.jpg is in the way"):
        sort(tmp_path, undo=True)
    assert listing(tmp_path / "data_src") == before


def test_a_dry_run_renames_nothing_and_writes_the_order(tmp_path: Path) -> None:
    make_faces(tmp_path, 12)
    before = listing(tmp_path / "data_src")
    context = sort(tmp_path, "final", target=5, dry_run=True)
    assert listing(tmp_path / "data_src") == before
    shown = json.loads((context.run_dir / "order.json").read_text())
    assert len(shown["order"]) == context.facts["faces"]
    assert len(shown["trash"]) == context.facts["trashed"] > 0
    assert not plan_file(tmp_path).exists()


def test_a_second_sort_measures_nothing_again_although_all_names_are_new(tmp_path: Path) -> None:
    make_faces(tmp_path, 8, size_px=96)
    assert sort(tmp_path, "blur").facts["measured"] == 8
    assert sort(tmp_path, "blur").facts["measured"] == 0
    assert sort(tmp_path, "brightness").facts["measured"] == 8


def test_a_changed_face_is_measured_again(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 4)
    sort(tmp_path)
    (folder / "00000.jpg").write_bytes((folder / "00003.jpg").read_bytes())
    assert sort(tmp_path).facts["measured"] == 1


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    make_faces(tmp_path, 4)
    sort(tmp_path)
    (cache,) = plan_file(tmp_path).parent.glob("*.sqlite")
    cache.write_bytes(b"not a database" * 1000)
    assert sort(tmp_path).facts["measured"] == 4
    assert sort(tmp_path).facts["measured"] == 0


@pytest.mark.parametrize("target", [1, 5, 20, 64])
def test_few_wanted_faces_are_kept_where_DeepFaceLab_would_keep_none(
    tmp_path: Path, target: int
) -> None:
    folder = make_faces(tmp_path, 40)
    sort(tmp_path, "final-fast", target=target)
    assert 1 <= len(names(folder)) <= target


@pytest.mark.parametrize("target", [20, 65, 130])
def test_faces_that_nearly_all_look_the_same_way_are_kept_up_to_about_the_target(
    tmp_path: Path, target: int
) -> None:
    folder = make_faces(tmp_path, 140)  # turned in 7 ways
    sort(tmp_path, "final-fast", target=target)
    assert 0.6 * target <= len(names(folder)) <= target


def test_faces_of_every_spelling_of_the_suffix_are_sorted(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 2)
    make_faces(tmp_path, 4, suffix=".jpeg")
    make_faces(tmp_path, 5, suffix=".JPG")
    before = contents(folder)
    sort(tmp_path)
    assert names(folder) == [f"{number:05d}.jpg" for number in range(11)]
    assert contents(folder) == before


def test_a_picture_that_cannot_be_read_goes_to_the_trash_with_the_reason(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 3)
    torn = (folder / "00001_0.jpg").read_bytes()[:-200]
    (folder / "00001_0.jpg").write_bytes(torn)
    context = sort(tmp_path, "hist")
    (trash,) = (tmp_path / "data_src" / "aligned_trash").iterdir()
    assert (trash / "00001_0.jpg").read_bytes() == torn
    assert any("cut off" in note for note in context.notes)


def test_a_sort_that_would_trash_every_face_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data_src" / "aligned"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "holiday.jpg"), cv2.UMat(64, 64, cv2.CV_8UC3).get())
    with pytest.raises(InputError, match="would send every face to the trash"):
        sort(tmp_path, "face-yaw")
    assert names(folder) == ["holiday.jpg"]


def test_faces_of_unequal_sizes_are_chained_by_their_pixels(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 4)
    make_faces(tmp_path, 6, suffix=".jpeg", size_px=128)
    sort(tmp_path, "absdiff")
    # The same picture in two sizes: one follows the other.
    sizes = [read_image_bgr_u8(folder / name).shape[0] for name in names(folder)]
    assert sizes[:8] == [64, 128] * 4 or sizes[1:8:2] != sizes[0:8:2]


def test_oneface_leaves_names_that_it_cannot_read(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 3)
    for other in ("00001_1.jpg", "a_b.jpg", "00001_tmp.jpg", "_.jpg"):
        shutil.copy(folder / "00002_0.jpg", folder / other)
    sort(tmp_path, "oneface")
    (trash,) = (tmp_path / "data_src" / "aligned_trash").iterdir()
    assert names(trash) == ["00001_0.jpg", "00001_1.jpg"]
    assert len(names(folder)) == 5


def test_a_folder_in_the_way_is_refused_before_anything_moves(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 3)
    (folder / "00001.jpg").mkdir()
    before = names(folder)
    with pytest.raises(InputError, match=r"00001\.jpg is in the way"):
        sort(tmp_path)
    assert names(folder) == before
    assert not plan_file(tmp_path).exists()


def test_packed_faces_are_refused(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 2)
    (folder / "faceset.pak").write_bytes(b"")
    with pytest.raises(InputError) as refusal:
        sort(tmp_path)
    assert refusal.value.code == "packed-faceset"
    assert "faceset-unpack --side src" in refusal.value.remedy


def test_a_stop_renames_nothing_and_keeps_what_was_measured(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 40)
    before = names(folder)
    context: RecordingContext = context_for(
        tmp_path, "faceset-sort", side="src", method="brightness"
    )
    context.stop_after = 16
    with pytest.raises(Stopped):
        run(context)
    assert names(folder) == before
    assert sort(tmp_path).facts["measured"] == 24


def test_the_command_sorts_in_worker_processes(tmp_path: Path) -> None:
    folder = make_faces(tmp_path, 40)
    words = ["run", "faceset-sort", "-w", tmp_path, "--side", "src", "--method", "hist"]
    done = facewright(*words, "--workers", "2", "--json")
    assert done.status == 0, done.stderr
    assert names(folder) == [f"{number:05d}.jpg" for number in range(40)]


def in_process(root: Path, options: dict[str, Any], changes: int) -> int | None:
    """Sort in a process that dies after so many renames and removals; its exit code."""
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(["tests.stages.sorting"])
    process = forkserver.Process(target=sort_until_killed, args=(root, options, changes))
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.parametrize("changes", [1, 2, 9, 13, 14, 17, 25, 26])
def test_an_interrupted_sort_is_completed_by_the_next_and_refused_to_dry_runs(
    tmp_path: Path, changes: int
) -> None:
    folder = make_faces(tmp_path, 12)
    before = contents(folder)
    assert in_process(tmp_path, {"method": "brightness"}, changes) == -signal.SIGKILL
    with pytest.raises(InputError, match="half renamed"):
        sort(tmp_path, "brightness", dry_run=True)
    assert contents(folder) == before
    context = sort(tmp_path, "brightness")
    assert any("completed" in note for note in context.notes)
    values = [brightness(folder / name) for name in names(folder)]
    assert values == sorted(values, reverse=True)
    assert names(folder) == [f"{number:05d}.jpg" for number in range(12)]
    assert contents(folder) == before


@pytest.mark.parametrize("changes", [1, 3, 5, 6, 12, 16, 18, 19])
def test_an_interrupted_undo_is_completed(tmp_path: Path, changes: int) -> None:
    make_faces(tmp_path, 12)
    before = listing(tmp_path / "data_src")
    sort(tmp_path, "final", target=4)
    assert in_process(tmp_path, {"undo": True}, changes) == -signal.SIGKILL
    sort(tmp_path, undo=True)
    assert listing(tmp_path / "data_src") == before


@pytest.mark.slow
def test_no_face_is_lost_in_200_kills_and_the_next_run_always_completes(tmp_path: Path) -> None:
    side = tmp_path / "data_src"
    folder = make_faces(tmp_path, 12)
    before = contents(side)
    chance = random.Random(1)
    wishes = [
        {"method": "brightness"},
        {"method": "hue"},
        {"method": "final", "target": 6},
        {"method": "face-yaw"},
        {"undo": True},
    ]
    killed = 0
    while killed < 200:
        wish = chance.choice(wishes)
        ended = in_process(tmp_path, wish, chance.randrange(30))
        killed += ended == -signal.SIGKILL
        assert ended in (0, -signal.SIGKILL) or wish == {"undo": True}  # there may be none to undo
        assert contents(side) == before
        if len(names(folder)) < 6:
            bring_back(side)
    sort(tmp_path, "brightness")
    assert names(folder) == [f"{number:05d}.jpg" for number in range(len(names(folder)))]
    assert contents(side) == before


def bring_back(side: Path) -> None:
    """What a user does who wants the trash back."""
    for number, path in enumerate(sorted((side / "aligned_trash").rglob("*.jpg"))):
        path.rename(side / "aligned" / f"back-{number:05d}-{path.name}")
