"""Made-up things before a face: they hide some of it, and follow from the seed alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.train.occluders import Occluder, Scene, draw_occluder

SIDE_PX = 128


def scene(side_px: int = SIDE_PX) -> Scene:
    face = np.zeros((side_px, side_px), np.float32)
    middle, axes = (side_px // 2,) * 2, (side_px // 4, side_px // 3)
    cv2.ellipse(face, middle, axes, 0, 0, 360, 1.0, -1)
    picture = 0.3 + 0.4 * face[..., None] * np.float32([0.5, 0.7, 1.0])
    return Scene(picture.astype(np.float32), face, [picture[:20, :30]])


def drawn(seed: int, where: Scene | None = None) -> Occluder:
    return draw_occluder(np.random.default_rng(seed), where or scene())


def test_the_same_seed_gives_the_same_thing() -> None:
    first, again, other = drawn(5), drawn(5), drawn(6)
    assert np.array_equal(first.image_bgr, again.image_bgr)
    assert np.array_equal(first.alpha, again.alpha)
    assert not np.array_equal(first.alpha, other.alpha)


def test_things_are_pictures_with_soft_edges() -> None:
    for seed in range(60):
        thing = drawn(seed)
        assert thing.image_bgr.shape == (SIDE_PX, SIDE_PX, 3)
        assert thing.image_bgr.dtype == thing.alpha.dtype == np.float32
        for part in (thing.image_bgr, thing.alpha):
            assert part.min() >= 0
            assert part.max() <= 1
        if thing.alpha.max() > 0.5:
            assert ((thing.alpha > 0.05) & (thing.alpha < 0.95)).any()


def test_most_things_hide_a_part_of_the_face_and_few_hide_most_of_it() -> None:
    where = scene()
    hidden = [(drawn(s, where).alpha * where.face).sum() / where.face.sum() for s in range(150)]
    assert np.mean(np.array(hidden) > 0.01) > 0.8
    assert np.mean(np.array(hidden) > 0.6) < 0.1
    assert 0.05 < np.mean(hidden) < 0.35


def test_some_hands_have_the_colour_of_the_face_they_hide() -> None:
    """Else the net would tell a hand by its colour, which real hands share with the face."""
    where = scene()
    colour = where.face_bgr[SIDE_PX // 2, SIDE_PX // 2]
    near = 0
    for seed in range(60):
        thing = drawn(seed, where)
        seen = thing.image_bgr[thing.alpha > 0.95]
        if len(seen):
            ratio = np.median(seen, axis=0) / colour
            near += bool(np.abs(ratio / ratio.mean() - 1).max() < 0.15)
    assert near >= 10


@pytest.mark.parametrize("side_px", [64, 256])
def test_things_grow_with_the_picture(side_px: int) -> None:
    where = scene(side_px)
    hidden = [(drawn(s, where).alpha * where.face).sum() / where.face.sum() for s in range(30)]
    assert 0.03 < np.mean(hidden) < 0.4


def test_without_a_face_and_patches_there_are_things_all_the_same() -> None:
    empty = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    where = Scene(np.zeros((SIDE_PX, SIDE_PX, 3), np.float32), empty, [])
    assert sum(drawn(seed, where).alpha.max() > 0.5 for seed in range(30)) > 20
