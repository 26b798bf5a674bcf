"""What a .dfm says of itself, read without its weights; and files that say something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime import InferenceSession
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from engine.models.dfm.spec import DFM
from engine.models.saehd.spec import SAEHD
from engine.protocol.dfm_files import (
    OUTPUTS,
    DfmHeader,
    has_morph_factor,
    list_dfm_names,
    read_dfm_header,
)
from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace
from tests.models.dfm.made_dfm import (
    SIDE,
    made_dfm,
    with_a_net_inside,
    with_a_place_that_only_others_see,
    with_weights_elsewhere,
)
from tests.support.shared import shared_path

MORPH = {"morph_value:0": [1]}


@pytest.mark.parametrize(
    ("name", "morphs"),
    [("new_SAEHD_model", False), ("liae_SAEHD_model", False), ("new_AMP_model", True)],
)
def test_deepfacelabs_files_tell_their_size_and_whether_they_morph(name: str, morphs: bool) -> None:
    header = read_dfm_header(shared_path("golden", "dfm", f"{name}.dfm"))
    assert header == DfmHeader(resolution=64, batch=None, has_morph_factor=morphs, notes={})
    assert (header.face_type, header.iteration) == ("", 0)


def test_what_facewright_noted_is_read_and_what_others_noted_is_not(tmp_path: Path) -> None:
    notes = {"facewright.face_type": "wf", "facewright.iteration": "77", "story": "x" * 9000}
    header = read_dfm_header(made_dfm(tmp_path / "a.dfm", notes=notes))
    assert (header.face_type, header.iteration) == ("wf", 77)
    assert "story" not in header.notes


def test_an_iteration_that_is_no_number_is_not_known(tmp_path: Path) -> None:
    notes = {"facewright.iteration": "-5"}
    assert read_dfm_header(made_dfm(tmp_path / "a.dfm", notes=notes)).iteration == 0


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.dfm"
    assert not read_dfm_header(made_dfm(path)).has_morph_factor
    assert read_dfm_header(made_dfm(path, more_inputs=MORPH)).has_morph_factor


def test_weights_among_the_inputs_as_in_old_files_are_no_inputs(tmp_path: Path) -> None:
    path = made_dfm(tmp_path / "a.dfm")
    model = onnx.load(str(path))
    weight = onnx.helper.make_tensor_value_info("first", onnx.TensorProto.INT64, [1])
    model.graph.input.append(weight)
    path.write_bytes(model.SerializeToString())
    assert not read_dfm_header(path).has_morph_factor


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"face_name": "image"}, "its inputs are image, not in_face"),
        ({"more_inputs": {"morph_value:0": [1], "more": [1]}}, "its inputs are in_face:0, morph"),
        ({"more_inputs": {"strength": [1]}}, r"its second input is strength float \[1\], not"),
        ({"more_inputs": {"morph_value:0": ["n"]}}, r"its second input is morph_value:0 float \["),
        ({"face": ["n", 64, 32, 3]}, "is not square"),
        ({"face": ["n", "h", "w", 3]}, r"float \[any, any, any, 3\] has no fixed size"),
        ({"face": ["n", 3, 64, 64]}, r"is not float \[N, R, R, 3\]"),
        ({"face": [64, 64, 3]}, r"is not float \[N, R, R, 3\]"),
        ({"face_kind": onnx.TensorProto.FLOAT16}, r"of type 10 .* is not float"),
        ({"face": ["n", 8192, 8192, 3]}, "faces of 8192 pixels"),
        ({"face": [4, 64, 64, 3]}, "it takes 4 faces at once"),
        ({"outputs": OUTPUTS[:2]}, "it has 2 outputs"),
        ({"outputs": OUTPUTS[::-1]}, "its outputs are in the order out_celeb_face_mask:0"),
        (
            {"output_shapes": [["n", SIDE, SIDE, 3]] * 3},
            r"its output out_face_mask:0 .* is not float \[N, 32, 32, 1\]",
        ),
        ({"domain": "strangers.ops"}, "operators of 'strangers.ops'"),
    ],
)
def test_what_deepfacelive_could_not_play_is_refused_by_name(
    made: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = made_dfm(tmp_path / "bad.dfm", **made)
    with pytest.raises(InputError, match=reason) as refused:
        read_dfm_header(path)
    assert str(path) in refused.value.message
    assert refused.value.remedy


def test_what_a_file_says_is_quoted_without_its_control_characters(tmp_path: Path) -> None:
    path = made_dfm(tmp_path / "bad.dfm", face_name="\x1b[2Jimage" + "x" * 3000)
    with pytest.raises(InputError, match=r"its inputs are \?\[2Jimagex") as refused:
        read_dfm_header(path)
    assert refused.value.message.isprintable() and len(refused.value.message) < 600


@pytest.mark.parametrize("made", [with_weights_elsewhere, with_a_net_inside])
def test_a_file_that_wants_other_files_is_refused(made: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its weights are in another file"):
        read_dfm_header(made(tmp_path / "bad.dfm"))


def test_no_field_is_one_here_and_another_one_to_onnx_runtime(tmp_path: Path) -> None:
    path = with_a_place_that_only_others_see(tmp_path / "bad.dfm")
    with pytest.raises(Fail, match="Please load external data"):
        InferenceSession(path, providers=["CPUExecutionProvider"])
    with pytest.raises(InputError, match="a field without a number that there can be"):
        read_dfm_header(path)


def test_nets_within_nets_are_followed_only_so_deep(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nets within nets without an end"):
        read_dfm_header(with_a_net_inside(tmp_path / "bad.dfm", depth=20))


@pytest.mark.parametrize("content", [b"GIF89a" * 9, b"\x80" * 40, b"\x3a\xff\xff\x7f" * 9])
def test_what_is_no_onnx_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.dfm"
    path.write_bytes(content)
    with pytest.raises(InputError, match="it is no ONNX file, or a damaged one"):
        read_dfm_header(path)


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "bad.dfm"
    path.touch()
    with pytest.raises(InputError, match="it is empty"):
        read_dfm_header(path)


def test_a_folder_or_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.dfm").mkdir()
    for name in ("folder.dfm", "none.dfm"):
        with pytest.raises(InputError, match=name):
            read_dfm_header(tmp_path / name)


def test_every_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    whole = made_dfm(tmp_path / "whole.dfm").read_bytes()
    for length in range(0, len(whole), 7):
        path = tmp_path / f"{length}.dfm"
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_dfm_header(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_are_a_model_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = made_dfm(folder / "a.dfm", more_inputs=MORPH)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    try:
        assert read_dfm_header(path).resolution > 0
    except InputError as refused:
        assert refused.code == "bad-dfm"


def test_files_are_listed_by_name_without_hidden_and_other_ones(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert list_dfm_names(workspace) == []
    for name in ("b_AMP_model.dfm", "a.dfm", ".half.dfm", "XSeg_model.onnx"):
        made_dfm(workspace.models / name)
    (workspace.models / "folder.dfm").mkdir()
    assert list_dfm_names(workspace) == ["a", "b_AMP_model"]


def test_of_ready_made_models_each_file_says_whether_it_morphs(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made_dfm(workspace.models / "plain.dfm")
    made_dfm(workspace.models / "morphing.dfm", more_inputs=MORPH)
    assert has_morph_factor(workspace, "morphing", DFM)
    assert not has_morph_factor(workspace, "plain", DFM)
    assert not has_morph_factor(workspace, "plain", SAEHD)
