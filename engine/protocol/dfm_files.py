"""Ready-to-merge models: `.dfm` files, as DeepFaceLab exports them for DeepFaceLive.

A .dfm is an ONNX file (field numbers: onnx/onnx.proto of the ONNX project). Here its header is
read: which faces it takes and gives. Weights are skipped over, so that it takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.protobuf_wire import Span, WireError, WireReader
from engine.protocol.spec import ModelSpec
from engine.protocol.workspace import Workspace

SUFFIX = ".dfm"
READY_CLASS = "dfm"  # the model class of these files
LARGEST_BYTES = 2**31 - 1  # of any protobuf message
SIDES_PX = (16, 1024)  # DeepFaceLab makes models of up to 640 pixels
CHANNELS = 3
# What DeepFaceLive feeds and takes by name or place (training specification 13).
FACE_INPUT, MORPH_INPUT = "in_face", "morph_value"
OUTPUTS = ("out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0")
OUTPUT_CHANNELS = (1, 3, 1)
# What Facewright's export notes in the file; DeepFaceLab's notes nothing.
NOTED_FACE_TYPE, NOTED_ITERATION = "facewright.face_type", "facewright.iteration"

_FLOAT = 1
# Fields of ONNX's messages by number.
_MODEL_GRAPH, _MODEL_NOTE, _MODEL_TRAINING, _MODEL_FUNCTION = 7, 14, 20, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SPARSE = 1, 5, 11, 12, 15
_NODE_ATTRIBUTE, _NODE_DOMAIN = 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_SPARSE_TENSORS = (1, 2)
_TENSOR_NAME, _TENSOR_ELSEWHERE, _TENSOR_PLACE = 8, 13, 14
_NOTE_NAME, _NOTE_TEXT = 1, 2
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR = 1, 2, 1
_TENSOR_KIND, _TENSOR_SHAPE, _SHAPE_SIZE, _SIZE_NUMBER = 1, 2, 1, 1
# ONNX's own operators, and those that are part of ONNX Runtime.
_KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
_DEEPEST_GRAPH = 8
_REASON_AT_MOST = 300
_REMEDY = "use a file that dfm-export wrote, or that DeepFaceLab exported for DeepFaceLive (as dfm)"


@dataclass(frozen=True)
class DfmHeader:
    """What a .dfm says of itself.

    resolution: side of its faces in pixels. batch: how many it takes at once; None: any number.
    has_morph_factor: how much of the other face it makes can be set. notes: what Facewright's
    export put in.
    """

    resolution: int
    batch: int | None
    has_morph_factor: bool
    notes: Mapping[str, str]

    @property
    def face_type(self) -> str:
        """The face type that its maker noted; "" where it is not known."""
        return self.notes.get(NOTED_FACE_TYPE, "")

    @property
    def iteration(self) -> int:
        """How far it was trained; 0 where it is not known."""
        noted = self.notes.get(NOTED_ITERATION, "")
        return int(noted) if noted.isascii() and noted.isdecimal() else 0


def list_dfm_names(workspace: Workspace) -> list[str]:
    """The names (without `.dfm`) of the files in the workspace's folder `model`."""
    if not workspace.models.is_dir():
        return []
    return sorted(path.stem for path in workspace.models.iterdir() if is_dfm(path))


def is_dfm(path: Path) -> bool:
    """Whether it is by its name a ready-to-merge model."""
    return path.suffix == SUFFIX and not path.name.startswith(".") and path.is_file()


def find_dfm(workspace: Workspace, name: str) -> Path:
    """The file of the model of that name. Raises `InputError` naming those that there are."""
    path = workspace.models / (name + SUFFIX)
    if path.is_file():
        return path
    known = ", ".join(list_dfm_names(workspace)) or "none"
    raise InputError(
        f"there is no ready-to-merge model {path}",
        f"put or link the .dfm file there, or choose one of these: {known}",
        code="no-model",
    )


def read_dfm_header(path: Path) -> DfmHeader:
    """The file's header; read once while the file stays as it is. Raises `InputError` for a file
    that cannot be read or is no model of this kind."""
    try:
        state = path.stat()
        return _read_header(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from error


@lru_cache(maxsize=64)
def _read_header(path: Path, size_bytes: int, _: int) -> DfmHeader:
    if not size_bytes:
        raise unusable(path, "it is empty")
    if size_bytes > LARGEST_BYTES:
        raise unusable(path, f"it has {size_bytes} bytes, ONNX files at most {LARGEST_BYTES}")
    try:
        with path.open("rb") as file:
            return _Parts.of(WireReader(file)).header()
    except WireError as error:
        raise unusable(path, f"it is no ONNX file, or a damaged one ({error})") from error
    except _Unfit as unfit:
        raise unusable(path, str(unfit)) from unfit


def has_morph_factor(workspace: Workspace, name: str, spec: ModelSpec) -> bool:
    """Whether the model of that name and class has a morph factor. Raises `InputError` where that
    is to be read from a file that is not there or cannot be used."""
    if not spec.is_file:
        return spec.has_morph_factor
    return read_dfm_header(find_dfm(workspace, name)).has_morph_factor


def unusable(path: Path, reason: str) -> InputError:
    """The error for a file that frames cannot be merged with. reason: may quote the file."""
    quoted = "".join(letter if letter.isprintable() else "?" for letter in reason)
    told = quoted[:_REASON_AT_MOST]
    return InputError(f"{path} cannot be merged with: {told}", _REMEDY, code="bad-dfm")


class _Unfit(Exception):
    """An ONNX file, but none for faces."""


@dataclass(frozen=True)
class _Value:
    """An input or output: its element type's number, and its shape; None: any size."""

    name: str
    kind: int
    shape: tuple[int | None, ...]


@dataclass
class _Parts:
    """What of a file is looked at."""

    inputs: list[_Value] = field(default_factory=list)
    outputs: list[_Value] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, wire: WireReader) -> _Parts:
        """Raises `WireError`, or `_Unfit` where the file would reach beyond itself."""
        parts, graphs = cls(), 0
        for found in wire.fields(wire.whole):
            if found.number in (_MODEL_TRAINING, _MODEL_FUNCTION):
                raise _Unfit("it brings training steps or functions of its own")
            if not isinstance(found.value, Span):
                continue
            if found.number == _MODEL_GRAPH:
                graphs += 1
                parts._take_graph(wire, found.value)
            elif found.number == _MODEL_NOTE:
                parts._take_note(wire, found.value)
        if graphs != 1:
            raise WireError(f"{graphs} nets in it")
        return parts

    def _take_graph(self, wire: WireReader, graph: Span) -> None:
        weights = set()
        _check_graph(wire, graph, 0)
        for found in wire.fields(graph):
            if not isinstance(found.value, Span):
                continue
            if found.number == _GRAPH_TENSOR:
                weights.add(_text_in(wire, found.value, _TENSOR_NAME))
            elif found.number == _GRAPH_INPUT:
                self.inputs.append(_value(wire, found.value))
            elif found.number == _GRAPH_OUTPUT:
                self.outputs.append(_value(wire, found.value))
        # Old files name their weights among the inputs.
        self.inputs = [value for value in self.inputs if value.name not in weights]

    def _take_note(self, wire: WireReader, entry: Span) -> None:
        name = _text_in(wire, entry, _NOTE_NAME)
        if name in (NOTED_FACE_TYPE, NOTED_ITERATION):
            self.notes[name] = _text_in(wire, entry, _NOTE_TEXT)

    def header(self) -> DfmHeader:
        """Raises `_Unfit` saying what DeepFaceLive would miss."""
        names = ", ".join(value.name for value in self.inputs)
        if not self.inputs or len(self.inputs) > 2 or FACE_INPUT not in self.inputs[0].name:
            raise _Unfit(f"its inputs are {names or 'none'}, not {FACE_INPUT} (and {MORPH_INPUT})")
        face, *others = self.inputs
        for morph in others:
            if MORPH_INPUT not in morph.name or morph.kind != _FLOAT or morph.shape != (1,):
                raise _Unfit(f"its second input is {_described(morph)}, not {MORPH_INPUT} [1]")
        side = _side_px(face)
        batch = face.shape[0]
        if batch not in (None, 1):
            raise _Unfit(f"it takes {batch} faces at once; it must take one, or any number")
        self._check_outputs(side)
        return DfmHeader(side, batch, bool(others), self.notes)

    def _check_outputs(self, side_px: int) -> None:
        wanted_names = ", ".join(OUTPUTS)
        if len(self.outputs) != len(OUTPUTS):
            raise _Unfit(f"it has {len(self.outputs)} outputs, not {wanted_names}")
        names = tuple(value.name for value in self.outputs)
        if sorted(names) == sorted(OUTPUTS) and names != OUTPUTS:
            raise _Unfit(f"its outputs are in the order {', '.join(names)}, not {wanted_names}")
        for value, channels in zip(self.outputs, OUTPUT_CHANNELS, strict=True):
            wanted = (side_px, side_px, channels)
            fits = len(value.shape) in (0, 4) and all(
                told in (None, size) for told, size in zip(value.shape[1:], wanted, strict=False)
            )
            if not fits or value.kind != _FLOAT:
                raise _Unfit(f"its output {_described(value)} is not float [N, {_joined(wanted)}]")


def _side_px(face: _Value) -> int:
    """The side of the faces that the input takes."""
    told = _described(face)
    if face.kind != _FLOAT or len(face.shape) != 4 or face.shape[3] != CHANNELS:
        raise _Unfit(f"its input {told} is not float [N, R, R, {CHANNELS}]")
    height, width = face.shape[1:3]
    if height is None or width is None:
        raise _Unfit(f"its input {told} has no fixed size")
    if height != width:
        raise _Unfit(f"its input {told} is not square")
    if not SIDES_PX[0] <= height <= SIDES_PX[1]:
        raise _Unfit(f"faces of {height} pixels; they must have {SIDES_PX[0]} to {SIDES_PX[1]}")
    return height


def _described(value: _Value) -> str:
    kind = "float" if value.kind == _FLOAT else f"of type {value.kind}"
    return f"{value.name} {kind} [{_joined(value.shape)}]"


def _joined(shape: tuple[int | None, ...]) -> str:
    return ", ".join("any" if size is None else str(size) for size in shape)


def _check_graph(wire: WireReader, graph: Span, depth: int) -> None:
    """Raises `_Unfit` if the net wants other files, or operators that others make."""
    if depth > _DEEPEST_GRAPH:
        raise _Unfit("nets within nets without an end")
    for found in wire.fields(graph):
        if not isinstance(found.value, Span):
            continue
        if found.number == _GRAPH_TENSOR:
            _check_tensor(wire, found.value)
        elif found.number == _GRAPH_SPARSE:
            _check_tensors_in(wire, found.value, _SPARSE_TENSORS)
        elif found.number == _GRAPH_NODE:
            _check_node(wire, found.value, depth)


def _check_node(wire: WireReader, node: Span, depth: int) -> None:
    domain = _text_in(wire, node, _NODE_DOMAIN)
    if domain not in _KNOWN_DOMAINS:
        raise _Unfit(f"it needs operators of {domain[:40]!r}, which ONNX Runtime does not have")
    for attribute in wire.messages(node, _NODE_ATTRIBUTE):
        _check_tensors_in(wire, attribute, _ATTRIBUTE_TENSORS)
        for sparse in wire.messages(attribute, *_ATTRIBUTE_SPARSE):
            _check_tensors_in(wire, sparse, _SPARSE_TENSORS)
        for graph in wire.messages(attribute, *_ATTRIBUTE_GRAPHS):
            _check_graph(wire, graph, depth + 1)


def _check_tensors_in(wire: WireReader, span: Span, numbers: tuple[int, ...]) -> None:
    for tensor in wire.messages(span, *numbers):
        _check_tensor(wire, tensor)


def _check_tensor(wire: WireReader, tensor: Span) -> None:
    for found in wire.fields(tensor):
        if found.number == _TENSOR_ELSEWHERE or (found.number == _TENSOR_PLACE and found.value):
            raise _Unfit("its weights are in another file")


def _value(wire: WireReader, span: Span) -> _Value:
    kind, shape = 0, tuple[int | None, ...]()
    for tensor in _nested(wire, span, _VALUE_TYPE, _TYPE_TENSOR):
        for found in wire.fields(tensor):
            if found.number == _TENSOR_KIND and isinstance(found.value, int):
                kind = found.value
            elif found.number == _TENSOR_SHAPE and isinstance(found.value, Span):
                sizes = wire.messages(found.value, _SHAPE_SIZE)
                shape = tuple(_size(wire, size) for size in sizes)
    return _Value(_text_in(wire, span, _VALUE_NAME), kind, shape)


def _nested(wire: WireReader, span: Span, *numbers: int) -> Iterator[Span]:
    """Messages in messages, by the fields' numbers from the outside in."""
    outer, *inner = numbers
    for message in wire.messages(span, outer):
        yield from _nested(wire, message, *inner) if inner else (message,)


def _size(wire: WireReader, span: Span) -> int | None:
    """What a dimension is fixed at."""
    size = None
    for found in wire.fields(span):
        if found.number == _SIZE_NUMBER and isinstance(found.value, int):
            size = found.value
    return size if size is not None and size > 0 else None


def _text_in(wire: WireReader, span: Span, number: int) -> str:
    """The text of that field of the message; "" without one."""
    texts = [wire.text(found) for found in wire.messages(span, number)]
    return texts[-1] if texts else ""
