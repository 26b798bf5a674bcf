from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.train.crops import CropCache, CropKind
from engine.train.samples import Sampling
from engine.train.side_faces import SideFaces
from engine.train.xseg_samples import (
    JoinedFaces,
    LabelledFaces,
    PretrainingSamples,
    XSegSamples,
    applied_mask,
    before_background,
    drawn_mask,
)
from engine.train.xseg_sources import XSegSources
from tests.train.labelled_faces import write_masked_faces

KIND = CropKind(FaceType.WHOLE_FACE, 64)
SAMPLING = Sampling(KIND, batch_size=2, scale=0.05)


def side_faces(folder):
    return SideFaces("labelled", list(open_faceset(folder)), lambda text, remedy: None)


def by_files(folder, mask_of=drawn_mask):
    return LabelledFaces(side_faces(folder), KIND, CropCache(1 << 24), mask_of)


@pytest.fixture
def drawn(tmp_path):
    return by_files(write_masked_faces(tmp_path / "drawn", 4))


def test_a_sample_is_the_same_whenever_it_is_made(drawn):
    first, again = (XSegSamples(drawn, SAMPLING, seed=3) for _ in range(2))
    again.sample(9)
    for number in (0, 5):
        found, wanted = again.sample(number), first.sample(number)
        np.testing.assert_array_equal(found.input_bgr, wanted.input_bgr)
        np.testing.assert_array_equal(found.mask, wanted.mask)
    other = XSegSamples(drawn, SAMPLING, seed=4).sample(0)
    assert np.abs(other.input_bgr - first.sample(0).input_bgr).max() > 0.05


def test_masks_are_nothing_or_all_and_pictures_within_range(drawn):
    samples = XSegSamples(drawn, SAMPLING, seed=3)
    for number in range(12):
        sample = samples.sample(number)
        assert sample.input_bgr.shape == (64, 64, 3)
        assert sample.mask.shape == (64, 64, 1)
        assert sample.input_bgr.dtype == sample.mask.dtype == np.float32
        assert 0 <= sample.input_bgr.min() <= sample.input_bgr.max() <= 1
        assert set(np.unique(sample.mask)) == {0.0, 1.0}


def test_masks_move_with_their_pictures(tmp_path):
    """Faces are painted white inside their mask: what is left of that after all changes lies in
    the sample's mask."""
    folder = write_masked_faces(tmp_path / "drawn", 3)
    faces = by_files(folder)

    class Painted:
        unusable = faces.unusable

        def __len__(self):
            return len(faces)

        def pair(self, number, rng):
            _, mask = faces.pair(number, rng)
            return np.repeat(mask[..., None], 3, axis=-1) * np.float32(0.9), mask

    samples = XSegSamples(Painted(), SAMPLING, seed=3)
    agreements = []
    for number in range(40):
        sample = samples.sample(number)
        grey, mask = sample.input_bgr.mean(axis=-1), sample.mask[..., 0]
        agreements.append(abs(float(np.corrcoef(grey.ravel(), mask.ravel())[0, 1])))
    assert np.median(agreements) > 0.9


def test_the_drawn_and_the_applied_mask_are_told_apart(tmp_path):
    folder = write_masked_faces(tmp_path / "applied", 2, drawn=False, applied=True)
    rng = np.random.default_rng(0)
    assert by_files(folder, applied_mask).pair(0, rng)[1].mean() > 0.1
    assert by_files(folder, drawn_mask).pair(0, rng)[1].max() == 0


def test_joined_sources_give_the_faces_of_all(tmp_path):
    sources = [
        by_files(write_masked_faces(tmp_path / str(first), 2, first=first)) for first in (0, 2)
    ]
    joined, rng = JoinedFaces(sources), np.random.default_rng(0)
    assert len(joined) == 4
    for number in range(4):
        wanted = sources[number // 2].pair(number % 2, rng)[0]
        np.testing.assert_array_equal(joined.pair(number, rng)[0], wanted)


def test_a_background_leaves_the_own_face_alone(drawn):
    rng = np.random.default_rng(1)
    (image, mask), other = drawn.pair(0, rng), drawn.pair(1, rng)
    mixed = before_background(image, mask, other, rng)
    np.testing.assert_allclose(mixed[mask == 1], image[mask == 1], atol=1e-6)
    assert np.abs(mixed - image)[mask == 0].max() > 0.05


def test_pretraining_draws_the_same_picture_in_grey(drawn):
    samples = PretrainingSamples(drawn.faces, SAMPLING, seed=3, cache=CropCache(1 << 24))
    sample = samples.sample(0)
    grey = cv2.cvtColor(sample.input_bgr, cv2.COLOR_BGR2GRAY)
    np.testing.assert_array_equal(sample.mask[..., 0], grey)


def test_batches_have_one_side_and_previews_show_any_faces(tmp_path, drawn):
    shown = {"dst": side_faces(write_masked_faces(tmp_path / "dst", 5, drawn=False))}
    sources = XSegSources(
        lambda sampling, cache: XSegSamples(drawn, sampling, seed=3),
        shown,
        limit_bytes=1 << 24,
        threads=1,
    )
    with sources.open(SAMPLING, 0) as batches:
        batch = batches.next()
        assert len(batch.src.mask) == 2
        assert len(batch.dst.mask) == 0
        assert list(batch.mask_means()) == ["mask_src"]
        assert not batch.shown
        preview = batches.for_preview(0, 3)
        assert preview.shown["dst"].shape == (3, 64, 64, 3)
        assert batches.rates.samples >= 5


def test_an_unusable_face_is_passed_over_and_told_of(tmp_path):
    folder = write_masked_faces(tmp_path / "drawn", 3)
    path = folder / "00001_0.jpg"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\0" * 200 + b"\xff\xd9")
    faces = by_files(folder)
    samples = XSegSamples(faces, SAMPLING, seed=3)
    for number in range(6):
        samples.sample(number)
    assert len(faces.unusable) <= 1
