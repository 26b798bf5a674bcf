"""Swapping nets as ONNX: they draw as ours do, and look to readers as DeepFaceLab's exports do."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest

from engine.models.onnx_export.autoencoder import write_autoencoder, write_morph_autoencoder
from engine.models.onnx_export.graph import GraphWriter
from engine.nets.dfl1_autoencoder import Dfl1Autoencoder, Layout
from engine.nets.initialisation import initialise
from engine.protocol.errors import InputError
from tests.models.onnx_export.playing import DeepFaceLive, session
from tests.nets.golden import architecture, golden_arrays, recipe_autoencoder
from tests.nets.test_autoencoder import TINY
from tests.nets.test_morph_autoencoder import recipe_nets
from tests.support.shared import shared_path

TOLERANCE = 1e-4
QUANTISED_TOLERANCE = 0.01  # 0.004, a level of 255, was seen
GOLDEN = {"df-ud": "new_SAEHD_model.dfm", "liae-ud": "liae_SAEHD_model.dfm"}
OUTPUTS = ("out_face_mask", "out_celeb_face", "out_celeb_face_mask")


@cache
def nets(name: str) -> Any:
    """Of the reference's recipe; "amp", or wiring and letters."""
    return recipe_nets() if name == "amp" else recipe_autoencoder(architecture(name, **TINY))


@cache
def written(name: str, *, quantised: bool = False) -> bytes:
    model = nets(name)
    graph = GraphWriter(model.nets, quantised=quantised)
    if name == "amp":
        write_morph_autoencoder(graph, model)
    else:
        write_autoencoder(graph, model)
    data: bytes = graph.model("SAEHD", 12, {}).SerializeToString()
    return data


def golden_model(name: str) -> Any:
    path = shared_path("golden", "dfm", "new_AMP_model.dfm" if name == "amp" else GOLDEN[name])
    return onnx.load(str(path))


def golden_sample(name: str) -> Any:
    stem = "new_AMP_model.dfm" if name == "amp" else GOLDEN[name]
    return np.load(shared_path("golden", "dfm", f"{stem}.sample.npz"), allow_pickle=False)


def made_faces(count: int = 3) -> Any:
    coarse = np.random.default_rng(5).random((count, 8, 8, 3), np.float32)
    return coarse.repeat(8, 1).repeat(8, 2)


def shown(values: Any) -> list[tuple[str, int, list[int]]]:
    """Names, element types and fixed sizes."""
    return [
        (
            value.name,
            value.type.tensor_type.elem_type,
            [dim.dim_value for dim in value.type.tensor_type.shape.dim],
        )
        for value in values
    ]


@pytest.mark.parametrize("name", ["df", "df-u", "df-d", "df-udtc", "liae", "liae-udt"])
def test_every_wiring_draws_in_onnx_runtime_as_in_tensorflow(name: str) -> None:
    faces = made_faces()
    face, mask_src, mask_dst = nets(name).swap(faces)
    found = session(written(name)).run(None, {"in_face:0": faces})
    for ours, expected in zip(found, (mask_dst, face, mask_src), strict=True):
        np.testing.assert_allclose(ours, expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(("wiring", "mask"), [("df", (8, 4, 4)), ("liae", ())])
def test_nets_of_deepfacelab_1_draw_in_onnx_runtime_as_in_tensorflow(
    wiring: str, mask: tuple[int, ...]
) -> None:
    """Without a mask net, the masks are 1 everywhere."""
    layout = Layout(wiring, 64, (4, 8, 8, 8), 16, 8, 8, (8, 4, 4), mask, residuals=2)
    model, faces = Dfl1Autoencoder(layout), made_faces()
    for net_name, net in model.nets.items():
        initialise(net, net_name, seed=4)
    graph = GraphWriter(model.nets)
    write_autoencoder(graph, model)
    found = session(graph.model("DF", 12, {}).SerializeToString()).run(None, {"in_face:0": faces})
    face, mask_src, mask_dst = model.swap(faces)
    for ours, expected in zip(found, (mask_dst, face, mask_src), strict=True):
        np.testing.assert_allclose(ours, expected, atol=TOLERANCE, rtol=0)
    assert bool(mask) is bool(found[0].min() < 1)


@pytest.mark.parametrize("factor", [0.0, 0.3, 0.77, 1.0])
def test_a_morph_factor_takes_as_many_channels_in_onnx_runtime_as_in_tensorflow(
    factor: float,
) -> None:
    faces = made_faces()
    face, mask_src, mask_dst = nets("amp").swap(faces, np.full(len(faces), factor, np.float32))
    fed = {"in_face:0": faces, "morph_value:0": np.float32([factor])}
    found = session(written("amp")).run(None, fed)
    for ours, expected in zip(found, (mask_dst, face, mask_src), strict=True):
        np.testing.assert_allclose(ours, expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", ["df-ud", "liae-ud"])
def test_a_face_is_drawn_as_deepfacelabs_own_export_draws_it(name: str) -> None:
    sample = golden_sample(name)
    found = session(written(name)).run(None, {"in_face:0": sample["in_face"]})
    for output, ours in zip(OUTPUTS, found, strict=True):
        np.testing.assert_allclose(ours, sample[output], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0])
def test_a_face_is_morphed_as_deepfacelabs_own_export_morphs_it(factor: float) -> None:
    sample = golden_sample("amp")
    fed = {"in_face:0": sample["in_face"], "morph_value:0": np.float32([factor])}
    found = session(written("amp")).run(None, fed)
    for output, ours in zip(OUTPUTS, found, strict=True):
        np.testing.assert_allclose(ours, sample[f"{output}|{factor}"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize("name", ["df-ud", "liae-ud", "amp"])
def test_names_types_sizes_order_and_opset_are_those_of_deepfacelabs_own_export(
    name: str, quantised: bool
) -> None:
    theirs, ours = golden_model(name), onnx.load_from_string(written(name, quantised=quantised))
    assert shown(ours.graph.input) == shown(theirs.graph.input)
    assert shown(ours.graph.output) == shown(theirs.graph.output)
    opsets = [
        {entry.domain: entry.version for entry in model.opset_import}[""]
        for model in (ours, theirs)
    ]
    assert opsets == [12, 12]
    assert ours.ir_version == theirs.ir_version


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize("name", ["df-udtc", "liae-udt", "amp"])
def test_deepfacelive_plays_it(name: str, quantised: bool) -> None:
    data = written(name, quantised=quantised)
    onnx.checker.check_model(data, full_check=True)
    player = DeepFaceLive(data)
    assert player.has_morph_value is (name == "amp")
    pictures = player.convert(made_faces(1)[0])
    assert [picture.shape for picture in pictures] == [(64, 64, 1), (64, 64, 3), (64, 64, 1)]
    for picture in pictures:
        assert picture.dtype == np.float32 and 0 <= picture.min() <= picture.max() <= 1


@pytest.mark.parametrize("name", ["df-ud", "liae-ud", "amp"])
def test_quantised_kernels_are_float16_and_all_else_as_deepfacelab_has_it(name: str) -> None:
    model = onnx.load_from_string(written(name, quantised=True))
    for tensor in model.graph.initializer:
        if tensor.name.endswith("/weight"):
            wanted = onnx.TensorProto.FLOAT16 if len(tensor.dims) == 4 else onnx.TensorProto.FLOAT
            assert tensor.data_type == wanted, tensor.name
    assert len(written(name, quantised=True)) < 0.6 * len(written(name))
    exact, rough = DeepFaceLive(written(name)), DeepFaceLive(written(name, quantised=True))
    face = made_faces(1)[0]
    for wanted, found in zip(exact.convert(face), rough.convert(face), strict=True):
        assert 0 < np.abs(wanted - found).max() < QUANTISED_TOLERANCE


def test_a_weight_that_float16_cannot_hold_is_refused_by_its_name() -> None:
    model = recipe_autoencoder(architecture("df-ud", **TINY))
    bias = model.encoder.steps[0].conv1.bias
    bias.assign(np.full(bias.shape, 7e4, np.float32))
    with pytest.raises(InputError, match="encoder/down1/downs_0/conv1/bias"):
        write_autoencoder(GraphWriter(model.nets, quantised=True), model)


def test_real_faces_are_drawn_as_in_tensorflow() -> None:
    faces = golden_arrays("batch64.npz")["dst_target"]  # cut from the reference's stills
    face, mask_src, mask_dst = nets("df-ud").swap(faces)
    found = session(written("df-ud")).run(None, {"in_face:0": faces})
    for ours, expected in zip(found, (mask_dst, face, mask_src), strict=True):
        np.testing.assert_allclose(ours, expected, atol=TOLERANCE, rtol=0)
