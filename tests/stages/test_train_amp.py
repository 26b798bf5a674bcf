"""AMP from faces of two real people to merged frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.protocol.needs import check_needs
from engine.protocol.workspace import Workspace, list_images
from engine.stages.merge.run import run as merge
from engine.stages.train.faces import TrainingFaces
from engine.stages.train.run import run as train
from tests.stages.extracting import extract, workspace
from tests.support.context import context_for

pytestmark = pytest.mark.slow  # trains

TINY = {
    "model_class": "amp",
    "resolution": 64,
    "face_type": "f",
    "ae_dims": 32,
    "inter_dims": 32,
    "e_dims": 16,
    "d_dims": 16,
    "d_mask_dims": 16,
    "batch_size": 2,
    "seed": 3,
    "device": "cpu",
}
PAGES = {"AMP morph 1.0", "AMP morph list", "AMP morph list masked"}


@pytest.fixture(scope="module")
def two_people(tmp_path_factory):
    root = tmp_path_factory.mktemp("pair")
    for side in ("src", "dst"):
        workspace(root, f"pairA_{side}.mp4", (0, 120), side=side)
        extract(root, side=side)
    return root


@pytest.fixture(scope="module")
def trained(two_people):
    """The run that trained a model."""
    context = context_for(two_people, "train", **TINY, target_iter=30, preview_seconds=0)
    train(context)
    return context


def merged(root, **look):
    """The frames that the model makes, decoded."""
    context = context_for(
        root, "merge", confirmed=True, model_class="amp", device="cpu", fresh=True, **look
    )
    merge(context)
    return [cv2.imread(str(path)).astype(int) for path in list_images(Workspace(root).dst.merged)]


def test_losses_of_both_faces_fall_and_previews_show_the_morph(trained):
    losses = np.array([row[1] for row in trained.loss_rows])
    assert (losses[-5:].mean(axis=0) < 0.9 * losses[:5].mean(axis=0)).all(), losses
    assert {page for page, _, _ in trained.previews} == PAGES


def test_a_frame_merged_by_another_morph_factor_has_another_face_and_the_same_surroundings(
    two_people, trained
):
    pure, half = merged(two_people), merged(two_people, morph_factor=0.2)
    assert len(pure) == len(half) == 2
    for one, other in zip(pure, half, strict=True):
        changed = np.abs(one - other).max(axis=-1)
        assert (changed > 8).any() and not changed[:20].any()


def test_src_on_both_sides_needs_no_dst_faces(tmp_path, two_people):
    (tmp_path / "data_src").mkdir()
    (tmp_path / "data_src" / "aligned").symlink_to(two_people / "data_src" / "aligned")
    context = context_for(tmp_path, "train", **TINY, src_src=True)
    check_needs(("both-facesets",), Workspace(tmp_path), context.options)
    src, dst = TrainingFaces(context).open(context.options)
    assert src is dst and len(src) == 2
