"""The stage faceset-enhance, through its own door."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from engine.faces.face_data import dict_from_data
from engine.media.images import read_image_bgr_u8
from engine.nets.face_enhancer import FaceEnhancerNet
from engine.protocol.errors import InputError
from engine.protocol.workspace import list_images
from tests.stages.facesets import data_of, faceset, labelled, names, run_stage, trashed
from tests.support.tree import tree

STAGE = "faceset-enhance"


@pytest.fixture(scope="module")
def still_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights with which the net adds nothing: the picture comes back nearly as it was."""
    path = tmp_path_factory.mktemp("weights") / "FaceEnhancer.npy"
    tensors = {
        name: np.zeros(variable.shape, np.float16)
        for name, variable in FaceEnhancerNet().named_weights()
    }
    path.write_bytes(pickle.dumps(tensors, protocol=4))
    return path


def test_without_weights_it_says_where_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    faceset(tmp_path)
    before = tree(tmp_path / "data_src")
    with pytest.raises(InputError) as caught:
        run_stage(tmp_path, STAGE, side="src")
    assert "FaceEnhancer.npy" in caught.value.message
    assert str(tmp_path / "home" / "facewright" / "weights") in caught.value.remedy
    assert tree(tmp_path / "data_src") == before


@pytest.mark.slow
def test_faces_keep_size_and_metadata_and_the_originals_are_in_the_trash(
    tmp_path: Path, still_weights: Path
) -> None:
    aligned = faceset(tmp_path, 2, **labelled())
    originals = {path.name: path.read_bytes() for path in list_images(aligned)}
    pictures = {path.name: read_image_bgr_u8(path) for path in list_images(aligned)}
    data = {path.name: dict_from_data(data_of(path)) for path in list_images(aligned)}
    context = run_stage(
        tmp_path, STAGE, side="src", weights=str(still_weights), in_place=True, confirmed=True
    )
    assert context.facts["enhanced"] == 2
    assert names(aligned) == sorted(originals)
    assert trashed(tmp_path) == originals
    for path in list_images(aligned):
        assert path.read_bytes() != originals[path.name]
        np.testing.assert_equal(dict_from_data(data_of(path)), data[path.name])
        now = read_image_bgr_u8(path).astype(float)
        assert now.shape == pictures[path.name].shape
        assert np.abs(now - pictures[path.name])[2:-2, 2:-2].mean() < 3
