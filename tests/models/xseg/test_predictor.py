from __future__ import annotations

import numpy as np
import pytest

from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.face_type import FaceType
from engine.models.xseg.predictor import DFL_DATA_FILE, DFL_NET_FILE, NET, load_xseg
from engine.nets.initialisation import weights_of
from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace
from engine.train.generations import Generations, Manifest
from tests.models.xseg.made_xseg import tiny_net, write_dfl_xseg


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def faces():
    return np.random.default_rng(3).random((3, 256, 256, 3), np.float32)


def test_masks_have_nothing_between_zero_and_a_tenth(workspace, faces):
    write_dfl_xseg(workspace.models)
    masks = load_xseg(workspace, device="cpu").masks(faces)
    assert masks.shape == (3, 256, 256)
    assert masks.dtype == np.float32
    assert ((masks == 0) | (masks >= 0.1)).all()
    assert masks.max() <= 1


def test_faces_are_masked_alike_in_any_company(workspace, faces):
    write_dfl_xseg(workspace.models)
    xseg = load_xseg(workspace, device="cpu")
    together = xseg.masks(np.concatenate([faces] * 3))
    np.testing.assert_allclose(together[6:], xseg.masks(faces), atol=1e-4)


def test_no_faces_give_no_masks(workspace, faces):
    write_dfl_xseg(workspace.models)
    assert load_xseg(workspace, device="cpu").masks(faces[:0]).shape == (0, 256, 256)


def test_a_generic_model_in_any_folder_is_for_whole_faces(workspace, tmp_path):
    folder = write_dfl_xseg(tmp_path / "elsewhere")
    of_folder = load_xseg(workspace, str(folder), device="cpu")
    of_file = load_xseg(workspace, str(folder / DFL_NET_FILE), device="cpu")
    assert of_folder.face_type is FaceType.WHOLE_FACE
    assert of_folder.fingerprint == of_file.fingerprint


def test_what_lies_beside_the_file_says_its_face_type(workspace):
    write_dfl_xseg(workspace.models, face_type="head")
    assert load_xseg(workspace, device="cpu").face_type is FaceType.HEAD


def test_a_model_that_does_not_say_its_face_type_is_for_whole_faces(workspace):
    data = write_dfl_xseg(workspace.models, face_type="head") / DFL_DATA_FILE
    data.write_bytes(dfl_pickle({"iter": 5, "options": {}, "loss_history": []}))
    assert load_xseg(workspace).face_type is FaceType.WHOLE_FACE
    manifest = Manifest(model_class="xseg", iteration=5, seed=7, drawn=0, options={})
    saves = Generations(workspace.model("own", "xseg"))
    saves.write(manifest, {NET: weights_of(tiny_net())})
    assert load_xseg(workspace, "own").face_type is FaceType.WHOLE_FACE


def test_other_weights_have_another_fingerprint(workspace, tmp_path):
    folders = [write_dfl_xseg(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    first, second = (load_xseg(workspace, str(folder), device="cpu") for folder in folders)
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize("chosen", ["", "mine", "/nowhere"])
def test_without_a_model_the_error_says_where_one_comes_from(workspace, chosen):
    with pytest.raises(InputError, match="XSeg model") as refusal:
        load_xseg(workspace, chosen, device="cpu")
    assert refusal.value.code == "no-xseg"
    assert "xseg-train" in refusal.value.remedy


def test_a_file_of_another_net_is_refused_by_its_name(workspace):
    path = write_dfl_xseg(workspace.models) / DFL_NET_FILE
    path.write_bytes(b"\x80\x04}.")
    with pytest.raises(InputError, match="no XSeg net"):
        load_xseg(workspace, device="cpu")
