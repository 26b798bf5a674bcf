"""An ONNX graph that is being written, node by node. Pictures are NHWC outside, NCHW inside.

Tensors are float32, and float16 where a quantised graph convolves. A node's inputs must all be of
the same kind; `GraphWriter.cast` gives a value in the other kind, and writes the cast once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from engine.nets.layers import Block
from engine.protocol.errors import InputError

IR_VERSION = 7  # that of opsets 12 and 13: what readers of their time know
_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_BATCH = "n"
_LARGEST_HALF = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Value:
    """A tensor of the graph. half: float16, else float32."""

    name: str
    half: bool = False


class GraphWriter:
    """Collects nodes and weights. quantised: convolutions compute in float16."""

    def __init__(self, nets: Mapping[str, Block], *, quantised: bool = False) -> None:
        self.quantised = quantised
        self._names = {
            id(variable): f"{net_name}/{name.removesuffix(':0')}"
            for net_name, net in nets.items()
            for name, variable in net.named_weights()
        }
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._casts: dict[tuple[str, bool], Value] = {}

    def picture_input(self, name: str, side: int, channels: int = 3) -> Value:
        """Pictures (n, side, side, channels), n any number; the value is NCHW."""
        self._inputs.append(_described(name, (_BATCH, side, side, channels)))
        return self.node("Transpose", Value(name), perm=_TO_NCHW)

    def vector_input(self, name: str, length: int) -> Value:
        """Numbers (length,), the same for all pictures."""
        self._inputs.append(_described(name, (length,)))
        return Value(name)

    def picture_output(self, name: str, value: Value, side: int, channels: int) -> None:
        """What is NCHW becomes an output (n, side, side, channels), float32. Outputs keep the order
        of these calls."""
        outer = Value(name)
        self._add("Transpose", (self.cast(value, half=False),), outer, {"perm": _TO_NHWC})
        self._outputs.append(_described(name, (_BATCH, side, side, channels)))

    def node(self, op: str, *inputs: Value, half: bool | None = None, **attributes: Any) -> Value:
        """The output of a new node. half: what it gives, when not the kind of its first input."""
        is_half = inputs[0].half if half is None else half
        output = Value(f"{op}_{len(self._nodes)}", is_half)
        self._add(op, inputs, output, attributes)
        return output

    def cast(self, value: Value, *, half: bool) -> Value:
        """The value as float16 or as float32."""
        if value.half is half:
            return value
        known = self._casts.get((value.name, half))
        if known is None:
            known = self.node("Cast", value, half=half, to=_element_type(half))
            self._casts[value.name, half] = known
        return known

    def weight(
        self,
        variable: Any,
        *,
        order: Sequence[int] | None = None,
        shape: Sequence[int] | None = None,
        half: bool = False,
    ) -> Value:
        """A weight of the nets, stored once however often it is used. order: of its axes. shape:
        what it is to have then."""
        name = self._names[id(variable)]
        if name in self._constants:
            return Value(name, half)
        array = variable.numpy()
        array = array if order is None else array.transpose(order)
        array = array if shape is None else array.reshape(shape)
        return self.constant(name, array, half=half)

    def constant(self, name: str, array: NDArray[Any], *, half: bool = False) -> Value:
        """Numbers stored in the graph, once for each name. Raises `InputError` (code
        "float16-range") for those that float16 cannot hold."""
        if half and array.size and np.abs(array).max() > _LARGEST_HALF:
            raise InputError(
                f"{name} has weights beyond {_LARGEST_HALF:.0f}, the largest number of float16",
                "export it without --quantised",
                code="float16-range",
            )
        self._store(name, array.astype(np.float16 if half else np.float32))
        return Value(name, half)

    def shape(self, *sides: int) -> Value:
        """What Reshape wants."""
        name = "shape_" + "x".join(map(str, sides))
        self._store(name, np.array(sides, np.int64))
        return Value(name)

    def _store(self, name: str, array: NDArray[Any]) -> None:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)

    def model(self, graph_name: str, opset: int, facts: Mapping[str, str]) -> Any:
        """The finished `onnx.ModelProto`. facts: its `metadata_props`."""
        graph = helper.make_graph(
            self._nodes, graph_name, self._inputs, self._outputs, list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=IR_VERSION,
            producer_name="facewright",
            producer_version=version("facewright"),
        )
        helper.set_model_props(model, dict(facts))
        return model

    def _add(
        self, op: str, inputs: Sequence[Value], output: Value, attributes: Mapping[str, Any]
    ) -> None:
        names = [value.name for value in inputs]
        self._nodes.append(helper.make_node(op, names, [output.name], output.name, **attributes))


def _described(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _element_type(half: bool) -> int:
    return int(TensorProto.FLOAT16 if half else TensorProto.FLOAT)
