"""Saves as the bytes of ONNX files: graph, names and opset as DeepFaceLab's exports have them.

spec, training 13. What DeepFaceLab's files do not tell is noted beside, where readers who do not
know it pass over it: face type, model, iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.models.classes import model_code
from engine.models.net_model import load_nets
from engine.models.onnx_export.autoencoder import write_autoencoder, write_morph_autoencoder
from engine.models.onnx_export.graph import GraphWriter
from engine.models.onnx_export.segmenter import write_segmenter
from engine.models.xseg.predictor import NET, TrainedXSeg
from engine.models.xseg.spec import XSEG
from engine.nets.autoencoder import Architecture, Autoencoder
from engine.nets.dfl1_autoencoder import Dfl1Autoencoder, Layout
from engine.nets.morph_autoencoder import NETS, MorphArchitecture, MorphAutoencoder
from engine.nets.wiring import WIRINGS
from engine.nets.xseg import RESOLUTION
from engine.protocol.dfm_files import LARGEST_BYTES
from engine.protocol.errors import InputError
from engine.protocol.spec import ModelSpec
from engine.train.generations import Generation, State

SWAP_OPSET, XSEG_OPSET = 12, 13
# Nodes, names and biases: some 100 kB in our largest graphs.
_BESIDES_WEIGHTS_BYTES = 1 << 20


@dataclass(frozen=True)
class ModelFacts:
    """What is noted in a file of whose it is. face_type: `FaceType.short`."""

    model_name: str
    model_class: str
    face_type: str
    resolution: int
    iteration: int
    fingerprint: str

    def notes(self) -> dict[str, str]:
        """As `metadata_props`."""
        return {f"facewright.{name}": str(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class _Writer:
    """How the nets of an architecture are made and written."""

    make: Callable[[Any], Any]
    write: Callable[[GraphWriter, Any], None]


# By architecture, what a model class makes of its options.
WRITERS: Mapping[type, _Writer] = {
    Architecture: _Writer(Autoencoder, write_autoencoder),
    MorphArchitecture: _Writer(MorphAutoencoder, write_morph_autoencoder),
    Layout: _Writer(Dfl1Autoencoder, write_autoencoder),
}
# By the names of their files: the nets that swap faces.
PLAYED_NETS = frozenset(NETS).union(*WIRINGS.values())


def dfm_bytes(spec: ModelSpec, name: str, saved: Generation, *, quantised: bool = False) -> bytes:
    """A save of a swapping model for DeepFaceLive.

    quantised: convolutions in float16, as DeepFaceLab's option of that name has it. The save's
    optimizers need not be read. Raises `InputError` for a model that is too large for such a file,
    or that float16 cannot hold.
    """
    code, options = model_code(spec), saved.manifest.options
    architecture = code.architecture(options)
    writer = WRITERS[type(architecture)]
    require_room(saved.state, quantised=quantised)
    model = writer.make(architecture)
    load_nets(model.nets, saved)
    graph = GraphWriter(model.nets, quantised=quantised)
    writer.write(graph, model)
    facts = ModelFacts(
        model_name=name,
        model_class=spec.id,
        face_type=code.face_type(options).short,
        resolution=architecture.resolution,
        iteration=saved.manifest.iteration,
        fingerprint=saved.manifest.fingerprint(),
    )
    written: bytes = graph.model(class_title(spec), SWAP_OPSET, facts.notes()).SerializeToString()
    return written


def class_title(spec: ModelSpec) -> str:
    """What DeepFaceLab calls the class, in files' names and graphs; ours, where it has none."""
    return spec.dfl_class or spec.title


def xseg_onnx_bytes(trained: TrainedXSeg) -> bytes:
    """An XSeg net as DeepFaceLab exports it. Raises `InputError` for weights of another net."""
    net = trained.net()
    graph = GraphWriter({NET: net})
    write_segmenter(graph, net)
    facts = ModelFacts(
        model_name=XSEG.dfl_class,
        model_class=XSEG.id,
        face_type=trained.face_type.short,
        resolution=RESOLUTION,
        iteration=trained.iteration,
        fingerprint=trained.fingerprint,
    )
    written: bytes = graph.model(XSEG.dfl_class, XSEG_OPSET, facts.notes()).SerializeToString()
    return written


def require_room(state: State, *, quantised: bool) -> None:
    """Raises `InputError` (code "onnx-too-large") if these nets make more than an ONNX file can
    hold. DeepFaceLive reads one file alone, so weights cannot be put beside it."""
    needed = _file_bytes(state, quantised=quantised)
    if needed <= LARGEST_BYTES:
        return
    remedy = "train a model of fewer dims: ae_dims and d_dims count most"
    if not quantised and (less := _file_bytes(state, quantised=True)) <= LARGEST_BYTES:
        remedy = f"export it with --quantised, which makes {_gib(less)}"
    raise InputError(
        f"the model makes a file of {_gib(needed)}, and .dfm files hold {_gib(LARGEST_BYTES)} at"
        " most",
        remedy,
        code="onnx-too-large",
    )


def _file_bytes(state: State, *, quantised: bool) -> int:
    """Of the file that these nets make; kernels of convolutions have four sides."""
    weights = sum(
        tensor.size * (2 if quantised and tensor.ndim == 4 else 4)
        for net in PLAYED_NETS & state.keys()
        for tensor in state[net].values()
    )
    return int(weights) + _BESIDES_WEIGHTS_BYTES


def _gib(count_bytes: int) -> str:
    return f"{count_bytes / 2**30:.2f} GiB"
