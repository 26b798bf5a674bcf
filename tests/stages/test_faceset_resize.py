"""The stage faceset-resize, through its own door."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.workspace import list_images
from tests.stages.facesets import (
    data_of,
    faceset,
    labelled,
    names,
    run_apart,
    run_stage,
    trashed,
)
from tests.support.disks import small_disk
from tests.support.tree import tree

pytestmark = pytest.mark.slow

STAGE = "faceset-resize"


def resize(root: Path, **given):
    return run_stage(root, STAGE, **{"side": "src", "size": 128, "workers": "1"} | given)


def test_faces_come_out_in_a_folder_beside_and_the_faceset_stays_as_it_is(tmp_path: Path) -> None:
    aligned = faceset(tmp_path, **labelled())
    before = tree(aligned)
    context = resize(tmp_path)
    assert tree(aligned) == before
    resized = aligned.parent / "aligned_resized"
    assert names(resized) == names(aligned)
    for path in list_images(resized):
        assert read_image_bgr_u8(path).shape == (128, 128, 3)
        old, new = data_of(aligned / path.name), data_of(path)
        np.testing.assert_allclose(new.landmarks, 2 * old.landmarks)
        np.testing.assert_allclose(new.image_to_face_mat, 2 * old.image_to_face_mat, atol=1e-3)
    assert context.facts["resized"] == 3


def test_in_place_the_originals_are_in_the_trash(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    originals = {path.name: path.read_bytes() for path in list_images(aligned)}
    with pytest.raises(ConfirmationNeeded):
        resize(tmp_path, in_place=True)
    assert {path.name: path.read_bytes() for path in list_images(aligned)} == originals

    context = resize(tmp_path, in_place=True, face_type="f", confirmed=True)
    assert context.facts["put_in_place"] == 3
    assert trashed(tmp_path) == originals
    for path in list_images(aligned):
        assert read_image_bgr_u8(path).shape == (128, 128, 3)
        assert data_of(path).face_type is FaceType.FULL
    assert not (aligned.parent / "aligned_resized").exists()


def test_a_stopped_run_goes_on_with_the_faces_that_are_missing(tmp_path: Path) -> None:
    aligned = faceset(tmp_path, 5)
    with pytest.raises(Stopped):
        resize(tmp_path, stop_after=2)
    resized = aligned.parent / "aligned_resized"
    assert len(names(resized)) == 2
    context = resize(tmp_path)
    assert (context.facts["kept"], context.facts["resized"]) == (2, 3)
    assert names(resized) == names(aligned)


def test_a_face_that_changed_since_is_made_again(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    resize(tmp_path)
    changed = list_images(aligned)[1]
    later_ns = changed.stat().st_mtime_ns + 10**10
    os.utime(changed, ns=(later_ns, later_ns))
    assert resize(tmp_path).facts["resized"] == 1


def test_what_was_made_of_the_originals_is_out_of_date_once_others_are_in_place(
    tmp_path: Path,
) -> None:
    aligned = faceset(tmp_path)
    resize(tmp_path)
    long_ago_ns = list_images(aligned)[0].stat().st_mtime_ns - 10**11
    for path in [*list_images(aligned), *list_images(aligned.parent / "aligned_resized")]:
        os.utime(path, ns=(long_ago_ns, long_ago_ns))
    run_stage(tmp_path, "faceset-landmarks-debug", side="src", workers="1")
    drawn_ns = min(p.stat().st_mtime_ns for p in list_images(aligned.parent / "aligned_landmarks"))
    resize(tmp_path, in_place=True, confirmed=True)
    assert all(path.stat().st_mtime_ns >= drawn_ns for path in list_images(aligned))
    context = run_stage(tmp_path, "faceset-landmarks-debug", side="src", workers="1")
    assert context.facts["drawn"] == 3


def test_faces_of_other_options_go_to_the_trash_with_the_users_word_only(tmp_path: Path) -> None:
    faceset(tmp_path)
    resize(tmp_path)
    made = tree(tmp_path / "data_src")
    with pytest.raises(ConfirmationNeeded, match="other options: --size 128 --face-type same"):
        resize(tmp_path, size=256)
    with pytest.raises(ConfirmationNeeded, match="afresh"):
        resize(tmp_path, fresh=True)
    assert tree(tmp_path / "data_src") == made
    resize(tmp_path, size=256, confirmed=True)
    assert sorted(trashed(tmp_path)) == names(tmp_path / "data_src" / "aligned")


def test_files_that_are_no_faces_are_told_and_left_out(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    (aligned / "holiday.jpg").write_bytes(b"\xff\xd8 no picture")
    context = resize(tmp_path)
    assert (context.facts["resized"], context.facts["left_out"]) == (3, 1)
    assert "holiday.jpg" in context.warnings[0]


def test_a_packed_faceset_is_refused(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    (aligned / "faceset.pak").touch()
    with pytest.raises(InputError) as caught:
        resize(tmp_path)
    assert "faceset-unpack" in caught.value.remedy


def test_faces_that_a_link_keeps_on_another_disk_are_replaced_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        (tmp_path / "data_src").mkdir()
        shutil.copytree(faceset(tmp_path / "elsewhere"), disk / "aligned")
        (tmp_path / "data_src" / "aligned").symlink_to(disk / "aligned")
        context = resize(tmp_path, in_place=True, confirmed=True)
        assert context.facts["put_in_place"] == 3
        pictures = list_images(disk / "aligned")
        assert [read_image_bgr_u8(path).shape[0] for path in pictures] == [128] * 3
        assert [path.name for path in pictures] == sorted(trashed(tmp_path))


def test_faces_that_got_other_names_since_are_made_again(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    resize(tmp_path)
    for old, new in ((0, 9), (1, 0), (9, 1)):
        (aligned / f"{old:05d}_0.jpg").rename(aligned / f"{new:05d}_0.jpg")
    context = resize(tmp_path, in_place=True, confirmed=True)
    assert (context.facts["kept"], context.facts["put_in_place"]) == (1, 3)
    sources = [data_of(path).source_filename for path in list_images(aligned)]
    assert sources == ["00001.png", "00000.png", "00002.png"]


def test_what_was_made_of_a_face_that_is_gone_is_told(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    assert resize(tmp_path).warnings == []
    (aligned / "00001_0.jpg").unlink()
    context = resize(tmp_path)
    assert context.facts["kept"] == 2
    assert "1 pictures in" in context.warnings[0]
    assert "the first: 00001_0.jpg" in context.warnings[0]


def test_pictures_that_another_program_made_are_told_as_such(tmp_path: Path) -> None:
    made = faceset(tmp_path).parent / "aligned_resized"
    made.mkdir()
    (made / "00000_0.jpg").write_bytes(b"of another program")
    with pytest.raises(ConfirmationNeeded, match="nothing is known of how they were made"):
        resize(tmp_path)


def test_what_is_wrong_with_a_face_is_told_with_what_to_do(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    (aligned / "empty_0.jpg").touch()
    (aligned / "half_0.jpg").write_bytes((aligned / "00000_0.jpg").read_bytes()[:1000])
    context = resize(tmp_path)
    assert context.facts["left_out"] == 2
    assert context.warnings == [
        "left out: empty_0.jpg: the file is empty (0 bytes)",
        "left out: half_0.jpg: the JPEG file is cut short after 1000 bytes",
    ]
    assert context.remedies == ["extract this face again"] * 2


def stopped_half_in_place(root: Path) -> Path:
    """A faceset of three, two of which are in place."""
    aligned = faceset(root)
    resize(root)
    with pytest.raises(Stopped):
        resize(root, in_place=True, confirmed=True, stop_after=2)
    assert names(aligned.parent / "aligned_resized") == ["00002_0.jpg"]
    return aligned


def test_faces_half_in_place_are_completed_before_anything_else(tmp_path: Path) -> None:
    aligned = stopped_half_in_place(tmp_path)
    with pytest.raises(InputError) as caught:
        resize(tmp_path, size=256, confirmed=True)
    assert "same options: --size 128 --face-type same" in caught.value.remedy
    context = resize(tmp_path)
    assert context.facts["put_in_place"] == 1
    assert all(read_image_bgr_u8(path).shape[0] == 128 for path in list_images(aligned))
    assert len(trashed(tmp_path)) == 3


def test_a_face_that_was_made_anew_since_is_not_replaced(tmp_path: Path) -> None:
    aligned = stopped_half_in_place(tmp_path)
    anew = aligned / "00002_0.jpg"
    content = (aligned / "00000_0.jpg").read_bytes()
    anew.write_bytes(content)
    later_ns = anew.stat().st_mtime_ns + 10**10
    os.utime(anew, ns=(later_ns, later_ns))
    context = resize(tmp_path)
    assert anew.read_bytes() == content
    assert len(context.warnings) == 1
    assert not (aligned.parent / "aligned_resized").exists()


def test_resizing_in_place_again_changes_nothing(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    resize(tmp_path, in_place=True, confirmed=True)
    before = tree(aligned), trashed(tmp_path)
    resize(tmp_path, in_place=True, confirmed=True)
    assert (tree(aligned), trashed(tmp_path)) == before


def killed_then_completed(root: Path, fatal: int) -> bool:
    """Kill a run before its `fatal`th change of a file, run it again. Returns whether it came so
    far."""
    aligned = faceset(root)
    originals = {path.name: path.read_bytes() for path in list_images(aligned)}
    options = {"side": "src", "size": 128, "in_place": True, "workers": "1"}
    was_killed = run_apart(root, STAGE, fatal=fatal, **options) is None
    for name, original in originals.items():
        assert data_of(aligned / name)
        assert original in ((aligned / name).read_bytes(), trashed(root).get(name))

    run_apart(root, STAGE, **options)
    assert names(aligned) == sorted(originals)
    assert all(read_image_bgr_u8(path).shape[0] == 128 for path in list_images(aligned))
    assert trashed(root) == originals
    return was_killed


@pytest.mark.parametrize("fatal", [6, 12, 20])
def test_killed_at_some_moment_no_face_is_lost_and_the_next_run_completes_it(
    tmp_path: Path, fatal: int
) -> None:
    assert killed_then_completed(tmp_path, fatal)
