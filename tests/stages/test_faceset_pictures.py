"""The stages that draw a faceset's landmarks and masks, through their own doors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_file import rewrite_face_data
from engine.faces.masks import hull_mask
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.workspace import Workspace, list_images
from tests.faces.face_files import SIZE_PX, labels
from tests.stages.facesets import data_of, faceset, labelled, names, run_stage, trashed
from tests.support.shared import shared_path
from tests.support.tree import tree

DEBUG, MASKS = "faceset-landmarks-debug", "faceset-export-masks"


def run(root: Path, stage: str, **given):
    return run_stage(root, stage, **{"side": "src", "workers": "1"} | given)


def test_landmarks_are_drawn_in_a_folder_of_their_own(tmp_path: Path) -> None:
    aligned = faceset(tmp_path)
    before = tree(aligned)
    run(tmp_path, DEBUG)
    assert tree(aligned) == before
    drawn = list_images(aligned.parent / "aligned_landmarks")
    assert [path.name for path in drawn] == [f"0000{number}_0_debug.jpg" for number in range(3)]
    picture, face = read_image_bgr_u8(drawn[0]), read_image_bgr_u8(list_images(aligned)[0])
    x, y = np.rint(data_of(list_images(aligned)[0]).landmarks[30]).astype(int)  # the nose's tip
    assert int(picture[y, x, 1]) > int(picture[y, x, 0]) + 60
    assert picture[0, 0].astype(int) == pytest.approx(face[0, 0].astype(int), abs=12)
    inside = hull_mask((SIZE_PX, SIZE_PX), data_of(list_images(aligned)[0]).landmarks) == 1
    assert np.median(picture[inside][:, 0]) < 0.7 * np.median(face[inside][:, 0])


@pytest.mark.parametrize(("stage", "made"), [(DEBUG, "_debug.jpg"), (MASKS, "_mask.png")])
def test_pictures_of_faces_that_are_gone_are_told(stage: str, made: str, tmp_path: Path) -> None:
    aligned = faceset(tmp_path, 2, **labelled())
    assert run(tmp_path, stage).warnings == []
    (aligned / "00001_0.jpg").unlink()
    assert f"the first: 00001_0{made}" in run(tmp_path, stage).warnings[0]


def test_a_stopped_drawing_goes_on(tmp_path: Path) -> None:
    faceset(tmp_path, 5)
    with pytest.raises(Stopped):
        run(tmp_path, DEBUG, stop_after=2)
    assert run(tmp_path, DEBUG).facts["kept"] == 2


def test_a_name_to_which_nothing_can_be_added_is_told(tmp_path: Path) -> None:
    face = list_images(faceset(tmp_path, 1))[0]
    face.rename(face.with_name("a" * 250 + ".jpg"))
    with pytest.raises(InputError, match="name too long"):
        run(tmp_path, DEBUG)


def faces_with_masks(root: Path) -> Path:
    """Three faces: with an applied mask, with labels only, with neither."""
    aligned = faceset(root)
    paths = list_images(aligned)
    rewrite_face_data(paths[0], replace(data_of(paths[0]), **labelled()))
    rewrite_face_data(paths[1], replace(data_of(paths[1]), seg_ie_polys=labels()))
    return aligned


def test_masks_are_the_applied_ones_or_else_the_labels(tmp_path: Path) -> None:
    aligned = faces_with_masks(tmp_path)
    context = run(tmp_path, MASKS)
    folder = aligned.parent / "aligned_masks"
    assert names(folder) == ["00000_0_mask.png", "00001_0_mask.png"]
    assert context.facts["without_mask"] == 1
    applied, labelled_mask = (read_image_bgr_u8(path)[:, :, 0] for path in list_images(folder))
    assert applied.shape == labelled_mask.shape == (SIZE_PX, SIZE_PX)
    assert set(np.unique(applied)) == {0, 255}
    assert abs((applied == 255).mean() - 0.16) < 0.03  # 40 of 100 px squared
    assert labelled_mask[12, 12] == 255
    assert labelled_mask[25, 25] == 0  # the hole


def test_soft_masks_are_white_from_one_half_on(tmp_path: Path) -> None:
    aligned = faceset(tmp_path, 1)
    soft = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    soft[:, 10:20], soft[:, 20:] = 0.49, 0.51
    path = list_images(aligned)[0]
    rewrite_face_data(path, replace(data_of(path), xseg_mask_compressed=bytes_from_mask(soft)))
    run(tmp_path, MASKS, format="jpg")
    mask = cv2.imread(str(aligned.parent / "aligned_masks" / "00000_0_mask.jpg"), 0)
    assert (mask[:, :16] < 8).all()
    assert (mask[:, 24:] > 247).all()


def test_a_hull_is_written_where_asked_and_other_masks_need_the_users_word(
    tmp_path: Path,
) -> None:
    aligned = faces_with_masks(tmp_path)
    run(tmp_path, MASKS)
    with pytest.raises(ConfirmationNeeded):
        run(tmp_path, MASKS, hull=True)
    context = run(tmp_path, MASKS, hull=True, confirmed=True)
    assert context.facts["masks"] == 3
    assert len(names(aligned.parent / "aligned_masks")) == 3
    assert sorted(trashed(tmp_path)) == ["00000_0_mask.png", "00001_0_mask.png"]


def test_a_mask_that_was_taken_off_is_gone_from_the_export(tmp_path: Path) -> None:
    aligned = faces_with_masks(tmp_path)
    run(tmp_path, MASKS)
    path = list_images(aligned)[1]
    rewrite_face_data(path, replace(data_of(path), seg_ie_polys=()))
    run(tmp_path, MASKS)
    assert names(aligned.parent / "aligned_masks") == ["00000_0_mask.png"]


def test_masks_of_faces_by_the_original_are_its_masks(tmp_path: Path) -> None:
    aligned = Workspace(tmp_path).src.aligned
    aligned.mkdir(parents=True)
    for number in (2, 3):
        face = shared_path("golden", "dflimg", f"0000{number}_0.jpg")
        (aligned / face.name).write_bytes(face.read_bytes())
    run(tmp_path, MASKS)
    applied, drawn = list_images(aligned.parent / "aligned_masks")
    soft = cv2.imread(str(shared_path("golden", "dflimg", "00002_0_xsegmask.png")), 0)
    np.testing.assert_array_equal(cv2.imread(str(applied), 0) == 255, soft >= 127.5)
    polygons = cv2.imread(str(shared_path("golden", "dflimg", "00003_0_polymask.png")), 0)
    np.testing.assert_array_equal(cv2.imread(str(drawn), 0), polygons)
