"""Small ready-to-merge models, made with ONNX's own writer: as DeepFaceLive wants them, or wrong in
one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from engine.protocol.dfm_files import OUTPUTS

FLOAT = TensorProto.FLOAT
Shape = Sequence[int | str | None]
SIDE = 32


def made_dfm(
    path: Path,
    *,
    face: Shape = ("n", SIDE, SIDE, 3),
    face_name: str = "in_face:0",
    face_kind: int = FLOAT,
    more_inputs: Mapping[str, Shape] | None = None,
    outputs: Sequence[str] = OUTPUTS,
    output_shapes: Sequence[Shape | None] = ((None,) * 4,) * 3,
    domain: str = "",
    notes: Mapping[str, str] | None = None,
) -> Path:
    """A file whose net gives each face back with its blue part as the masks; a morph factor makes
    the face darker."""
    inputs = [helper.make_tensor_value_info(face_name, face_kind, face)]
    for name, shape in (more_inputs or {}).items():
        inputs.append(helper.make_tensor_value_info(name, FLOAT, shape))
    given = [
        helper.make_tensor_value_info(n, FLOAT, s)
        for n, s in zip(outputs, output_shapes, strict=False)
    ]
    graph = helper.make_graph(
        _nodes(face_name, list(more_inputs or {}), outputs, domain),
        "made",
        inputs,
        given,
        [
            helper.make_tensor("first", TensorProto.INT64, [1], [0]),
            helper.make_tensor("second", TensorProto.INT64, [1], [1]),
            helper.make_tensor("channels", TensorProto.INT64, [1], [3]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    helper.set_model_props(model, dict(notes or {}))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def _nodes(face: str, others: list[str], outputs: Sequence[str], domain: str) -> list[object]:
    blue = ["Slice", [face, "first", "second", "channels"]]
    made = {
        "out_celeb_face:0": ["Mul", [face, others[0]]] if others else ["Identity", [face]],
        "out_face_mask:0": blue,
        "out_celeb_face_mask:0": blue,
    }
    return [
        helper.make_node(*made.get(name, ["Identity", [face]]), [name], domain=domain)
        for name in outputs
    ]


def with_room_for(path: Path, *, faces: int) -> Path:
    """A model that says it takes any number of faces, and takes this many."""
    model = onnx.load(str(made_dfm(path)))
    size = helper.make_tensor("size", TensorProto.INT64, [4], [faces, SIDE, SIDE, 3])
    model.graph.initializer.append(size)
    node = next(node for node in model.graph.node if node.op_type == "Identity")
    node.op_type = "Reshape"
    node.input.append("size")
    path.write_bytes(model.SerializeToString())
    return path


def with_weights_elsewhere(path: Path) -> Path:
    """A model whose first tensor is said to lie in another file."""
    model = onnx.load(str(made_dfm(path)))
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    path.write_bytes(model.SerializeToString())
    return path


def with_a_place_that_only_others_see(path: Path) -> Path:
    """As `with_weights_elsewhere`; the keys of what says so have a bit more than readers of
    protobuf look at: key 0x6a, `external_data`, is written as 0x1_0000_006a."""
    content = with_weights_elsewhere(path).read_bytes()
    tensor = onnx.load(str(path), load_external_data=False).graph.initializer[0]
    plain = tensor.SerializeToString()
    place = tensor.external_data[0].SerializeToString()
    said = b"\x6a" + bytes([len(place)]) + place, b"\x70\x01"
    hidden = plain
    for field in said:
        hidden = hidden.replace(field, bytes([field[0] | 0x80, 0x80, 0x80, 0x80, 0x10]) + field[1:])
    model = onnx.load_from_string(content)
    del model.graph.initializer[0]
    rest = model.graph.SerializeToString()
    graph = rest + _message(5, hidden)
    model.ClearField("graph")
    path.write_bytes(model.SerializeToString() + _message(7, graph))
    return path


def _message(number: int, content: bytes) -> bytes:
    """A field of a message, as https://protobuf.dev/programming-guides/encoding has it."""
    size = len(content)
    return bytes([number << 3 | 2, size & 0x7F | 0x80, size >> 7]) + content


def with_a_net_inside(path: Path, *, depth: int = 1) -> Path:
    """A model that hides a tensor of another file in a branch (of a branch ...) of its net."""
    model = onnx.load(str(made_dfm(path)))
    hidden = helper.make_tensor("hidden", FLOAT, [1], [0.0])
    hidden.data_location = TensorProto.EXTERNAL
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=hidden)],
        "branch",
        [],
        [helper.make_tensor_value_info("c", FLOAT, [1])],
    )
    for _ in range(depth - 1):
        node = helper.make_node("If", ["yes"], ["c"], then_branch=branch)
        branch = helper.make_graph([node], "branch", [], list(branch.output))
    node = helper.make_node("If", ["yes"], ["x"], then_branch=branch, else_branch=branch)
    model.graph.node.append(node)
    path.write_bytes(model.SerializeToString())
    return path
