"""Ready-to-merge models by ONNX Runtime: DeepFaceLab's own files, and made ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.models.predictor import FacePredictor, load_predictor
from engine.protocol.errors import InputError, StageError
from engine.protocol.workspace import Workspace
from tests.models.dfm.made_dfm import SIDE, made_dfm, with_room_for
from tests.support.shared import shared_path

GOLDEN = ("new_SAEHD_model", "liae_SAEHD_model", "new_AMP_model")


def golden_predictor(name: str, tmp_path: Path) -> FacePredictor:
    """One of DeepFaceLab's files in a workspace."""
    workspace = Workspace(tmp_path)
    workspace.models.mkdir(parents=True)
    (workspace.models / f"{name}.dfm").symlink_to(shared_path("golden", "dfm", f"{name}.dfm"))
    return load_predictor(workspace, name, "dfm", "cpu")


def golden_sample(name: str) -> dict[str, np.ndarray]:
    sample = np.load(shared_path("golden", "dfm", f"{name}.dfm.sample.npz"))
    return {key: sample[key] for key in sample.files}


def made_predictor(tmp_path: Path, *, face_type: str = "auto", **made: object) -> FacePredictor:
    workspace = Workspace(tmp_path)
    made_dfm(workspace.models / "made.dfm", **made)
    return load_predictor(workspace, "made", "dfm", "cpu", face_type=face_type)


def faces(count: int, side_px: int = SIDE) -> np.ndarray:
    return np.random.default_rng(3).random((count, side_px, side_px, 3), np.float32)


@pytest.mark.parametrize("name", GOLDEN)
def test_deepfacelabs_files_give_what_they_gave_there(name: str, tmp_path: Path) -> None:
    predictor, sample = golden_predictor(name, tmp_path), golden_sample(name)
    factors = (0.0, 0.5, 1.0) if "AMP" in name else (None,)
    for factor in factors:
        given = None if factor is None else np.float32([factor])
        predicted = predictor.predict(sample["in_face"], given)
        ending = "" if factor is None else f"|{factor}"
        for ours, theirs in (
            (predicted.face_bgr, sample[f"out_celeb_face{ending}"]),
            (predicted.mask_src, sample[f"out_celeb_face_mask{ending}"][..., 0]),
            (predicted.mask_dst, sample[f"out_face_mask{ending}"][..., 0]),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["new_SAEHD_model", "new_AMP_model"])
def test_each_face_of_a_batch_is_as_if_it_were_asked_for_alone(name: str, tmp_path: Path) -> None:
    predictor, crops = golden_predictor(name, tmp_path), faces(5, 64)
    factors = np.float32([1.0, 0.25, 1.0, 0.5, 0.25])
    together = predictor.predict(crops, factors)
    for number in range(5):
        part = slice(number, number + 1)
        alone = predictor.predict(crops[part], factors[part])
        np.testing.assert_allclose(together.face_bgr[part], alone.face_bgr, atol=1e-5)
        np.testing.assert_allclose(together.mask_src[part], alone.mask_src, atol=1e-5)
        np.testing.assert_allclose(together.mask_dst[part], alone.mask_dst, atol=1e-5)


def test_a_file_for_single_faces_is_asked_for_one_at_a_time(tmp_path: Path) -> None:
    morphs = {"morph_value:0": [1]}
    predictor = made_predictor(tmp_path, face=[1, SIDE, SIDE, 3], more_inputs=morphs)
    crops, factors = faces(3), np.float32([1.0, 0.5, 0.0])
    predicted = predictor.predict(crops, factors)
    np.testing.assert_allclose(predicted.face_bgr, crops * factors[:, None, None, None])
    np.testing.assert_array_equal(predicted.mask_src, crops[..., 0])


def test_without_a_factor_a_morphing_file_gives_the_pure_result(tmp_path: Path) -> None:
    predictor = made_predictor(tmp_path, more_inputs={"morph_value:0": [1]})
    np.testing.assert_array_equal(predictor.predict(faces(2)).face_bgr, faces(2))


def test_a_file_without_a_morph_factor_ignores_one(tmp_path: Path) -> None:
    predicted = made_predictor(tmp_path).predict(faces(2), np.float32([0.1, 0.9]))
    np.testing.assert_array_equal(predicted.face_bgr, faces(2))


def test_the_face_type_is_the_given_one_else_the_files_else_whole_face(tmp_path: Path) -> None:
    assert made_predictor(tmp_path / "a").face_type is FaceType.WHOLE_FACE
    for noted in ("f", "full_face"):
        notes = {"facewright.face_type": noted, "facewright.iteration": "1234"}
        predictor = made_predictor(tmp_path / "b", notes=notes)
        assert (predictor.face_type, predictor.iteration) == (FaceType.FULL, 1234)
    given = made_predictor(tmp_path / "b", notes=notes, face_type="head")
    assert given.face_type is FaceType.HEAD
    with pytest.raises(InputError, match="unknown type 'torso'"):
        made_predictor(tmp_path / "c", notes={"facewright.face_type": "torso"})


def test_files_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    first = made_predictor(tmp_path / "a").fingerprint
    assert made_predictor(tmp_path / "b").fingerprint == first
    assert made_predictor(tmp_path / "c", notes={"about": "another"}).fingerprint != first


def test_a_net_that_answers_in_another_shape_than_it_says_is_refused(tmp_path: Path) -> None:
    swapped = ("out_celeb_face:0", "face:0", "mask:0")
    with pytest.raises(InputError, match=r"made\.dfm cannot be merged with: its net answers"):
        made_predictor(tmp_path, outputs=swapped)


def test_a_net_that_takes_fewer_faces_than_it_says_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with_room_for(workspace.models / "made.dfm", faces=1)
    with pytest.raises(InputError, match="its net fails: "):
        load_predictor(workspace, "made", "dfm", "cpu")


def test_a_net_that_fails_later_says_what_it_was_asked(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with_room_for(workspace.models / "made.dfm", faces=2)
    predictor = load_predictor(workspace, "made", "dfm", "cpu")
    with pytest.raises(StageError, match=r"failed at 3 faces of .*made\.dfm"):
        predictor.predict(faces(3))


def test_a_net_that_onnx_runtime_does_not_understand_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ONNX Runtime refuses it"):
        made_predictor(tmp_path, domain="ai.onnx.ml")


def test_a_file_with_names_that_are_no_text_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    path = made_dfm(workspace.models / "made.dfm")
    whole = path.read_bytes()
    assert whole.count(b"Identity") == 1
    path.write_bytes(whole.replace(b"Identity", b"\xd2dentity"))
    with pytest.raises(InputError, match="ONNX Runtime refuses it"):
        load_predictor(workspace, "made", "dfm", "cpu")


def test_crops_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not of 32 px"):
        made_predictor(tmp_path).predict(faces(1, 48))


def test_a_gpu_that_is_not_there_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made_dfm(workspace.models / "made.dfm")
    with pytest.raises(InputError, match="there is no GPU 77"):
        load_predictor(workspace, "made", "dfm", "77")


def test_a_file_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made_dfm(workspace.models / "anna_SAEHD_model.dfm")
    with pytest.raises(InputError) as refused:
        load_predictor(workspace, "berta", "dfm", "cpu")
    assert "anna_SAEHD_model" in refused.value.remedy


def test_neither_the_catalog_nor_the_predictors_module_loads_onnx_runtime() -> None:
    program = (
        "import sys, engine.catalog, engine.models.predictor\n"
        "sys.exit('onnxruntime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
