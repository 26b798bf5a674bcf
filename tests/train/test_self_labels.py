"""Faces that label themselves: a mask up to the hair, less what was painted before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.faces.masks import hull_mask
from engine.protocol.errors import InputError
from engine.train.crops import CropCache, CropKind
from engine.train.occluders import Occluder
from engine.train.self_labels import SelfLabelledFaces, background_patches, hidden_by
from engine.train.side_faces import SideFaces
from engine.train.sources import open_training_faces
from tests.train.made_faces import made_face, write_faceset

KIND = CropKind(FaceType.WHOLE_FACE, 128)
SHAPE_HW = (128, 128)


def source(folder: Path, warned: list[str] | None = None) -> SelfLabelledFaces:
    faces = SideFaces(
        "src",
        list(open_training_faces(folder)),
        lambda what, remedy: (warned if warned is not None else []).append(what),
    )
    return SelfLabelledFaces(faces, KIND, CropCache(1 << 26))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_faceset(tmp_path / "aligned", 4, side_px=128, face_type=FaceType.WHOLE_FACE)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_same_random_numbers_give_the_same_pair(folder: Path) -> None:
    first, again = source(folder).pair(1, rng(7)), source(folder).pair(1, rng(7))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


def test_labels_are_the_face_and_on_most_faces_something_is_taken_out(folder: Path) -> None:
    faces = source(folder)
    hull = hull_mask(SHAPE_HW, made_face(0, 128, FaceType.WHOLE_FACE)[1].landmarks)
    kept = []
    for seed in range(60):
        image, label = faces.pair(0, rng(seed))
        assert image.shape == (128, 128, 3)
        assert image.dtype == label.dtype == np.float32
        assert min(image.min(), label.min()) >= 0
        assert max(image.max(), label.max()) <= 1
        kept.append(float((label * hull).sum() / hull.sum()))
    assert max(kept) > 0.97
    assert 0.5 < np.mean(np.array(kept) < 0.97) < 0.9
    assert min(kept) > 0.05


def test_a_thing_is_taken_out_of_the_label_where_it_is_painted() -> None:
    alpha = np.zeros(SHAPE_HW, np.float32)
    alpha[:, :64] = 1
    thing = Occluder(np.ones((*SHAPE_HW, 3), np.float32), alpha)
    face, label = np.zeros((*SHAPE_HW, 3), np.float32), np.ones(SHAPE_HW, np.float32)
    image, seen = hidden_by(thing, face, label, rng(0))
    assert np.array_equal(seen, 1 - alpha)
    assert np.array_equal(image[..., 0], alpha)


def test_a_thing_that_would_hide_the_whole_face_is_left_away() -> None:
    thing = Occluder(np.ones((*SHAPE_HW, 3), np.float32), np.ones(SHAPE_HW, np.float32))
    face, label = np.zeros((*SHAPE_HW, 3), np.float32), np.ones(SHAPE_HW, np.float32)
    image, seen = hidden_by(thing, face, label, rng(0))
    assert np.array_equal(image, face)
    assert np.array_equal(seen, label)


def test_pieces_for_textures_are_taken_beside_the_face() -> None:
    label = np.zeros(SHAPE_HW, np.float32)
    label[:, 40:90] = 1
    image = np.repeat(label[..., None], 3, axis=2)
    pieces = [piece for seed in range(20) for piece in background_patches(rng(seed), image, label)]
    assert len(pieces) > 20
    assert all(piece.mean() < 0.03 for piece in pieces)
    assert background_patches(rng(0), image, np.ones(SHAPE_HW, np.float32)) == []


def test_a_damaged_face_is_passed_over_and_told_of(folder: Path) -> None:
    path = folder / "00001_0.jpg"
    warned: list[str] = []
    faces = source(folder, warned)
    path.write_bytes(b"no picture")
    faces.pair(1, rng(0))
    assert list(faces.unusable) == ["00001_0.jpg"]
    assert len(warned) == 1


def test_without_any_usable_face_it_says_so(folder: Path) -> None:
    faces = source(folder)
    for path in folder.glob("*.jpg"):
        path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="none of the 4"):
        faces.pair(0, rng(0))
