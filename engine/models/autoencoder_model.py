"""What the models made of one autoencoder share: how faces are drawn, previews and prediction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.autoencoder_predictor import AutoencoderPredictor
from engine.models.net_model import NetModel, load_nets
from engine.nets.device import prepare_device
from engine.nets.layers import Block, Tensor
from engine.nets.wiring import WIRINGS, Codes, Wired, WiredNets
from engine.protocol.errors import InputError
from engine.train.batches import Batch
from engine.train.generations import Generation, Generations
from engine.train.previews import page_of_columns

F32 = NDArray[np.float32]
_MERGED_WITH = frozenset(name for names in WIRINGS.values() for name in names)


@dataclass(frozen=True)
class DrawnFaces:
    """Both faces of a batch as their own decoders draw them. Float32, 0..1."""

    src_face: Tensor
    src_mask: Tensor
    dst_face: Tensor
    dst_mask: Tensor

    def health(self) -> dict[str, Tensor]:
        """A mask that goes to 0 or 1 everywhere shows a collapse before the losses do."""
        return {
            "mask_src": tf.reduce_mean(self.src_mask),
            "mask_dst": tf.reduce_mean(self.dst_mask),
        }


@dataclass(frozen=True)
class Drawn(DrawnFaces):
    """And what they were drawn from."""

    codes: Codes


@dataclass(frozen=True, eq=False)
class PreviewColumns:
    """Columns of pictures (n, R, R, 3) BGR, float32, 0..1, by what they show."""

    src: F32
    src_src: F32
    dst: F32
    dst_dst: F32
    swap: F32


def newest_save(
    saves: Generations, warn: Callable[[str, str], None], nets: Container[str]
) -> Generation:
    """The newest good save, of which these nets alone are read. Raises `InputError` if there is
    none."""
    saved = saves.newest(warn, only=nets.__contains__)
    if saved is None:
        raise InputError(f"nothing is saved in {saves.folder}", "train the model first")
    return saved


class AutoencoderModel(NetModel):
    """A model of one df or liae autoencoder."""

    autoencoder: WiredNets[Any, Any, Any]

    @staticmethod
    @abstractmethod
    def architecture(options: Mapping[str, Any]) -> Wired:
        """How the nets look."""

    @staticmethod
    @abstractmethod
    def face_type(options: Mapping[str, Any]) -> FaceType:
        """How much of the head the faces show."""

    @classmethod
    def load_predictor(
        cls, saves: Generations, device: str, warn: Callable[[str, str], None]
    ) -> AutoencoderPredictor:
        """See `engine.models.predictor.load_predictor`."""
        prepare_device(device, warn)
        saved = newest_save(saves, warn, _MERGED_WITH)
        options = saved.manifest.options
        cls.warn_before_merging(options, warn)
        autoencoder = cls.architecture(options).make()
        load_nets(autoencoder.nets, saved)
        return AutoencoderPredictor(autoencoder, cls.face_type(options), saved.manifest)

    @classmethod
    def warn_before_merging(
        cls, options: Mapping[str, Any], warn: Callable[[str, str], None]
    ) -> None:
        """Warn of what a model of these options cannot do when merging."""

    def make_nets(self) -> dict[str, Block]:
        self.autoencoder = self.architecture(self.options).make(dtype=self.dtype)
        return self.autoencoder.nets

    def draw(self, src_faces: Tensor, dst_faces: Tensor) -> Drawn:
        """Each face by its own decoder; the swap is left to those who need it."""
        codes = self.autoencoder.codes(src_faces, dst_faces)
        return Drawn(*self.autoencoder.drawn(codes), codes)

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """Columns src, src drawn, dst, dst drawn, dst drawn as src; once whole, once masked."""
        rows = slice(self.most_preview_rows())
        src_face, src_mask = batch.src.target_bgr[rows], batch.src.mask[rows]
        dst_face, dst_mask = batch.dst.target_bgr[rows], batch.dst.mask[rows]
        drawn = self._draw_preview(
            tf.constant(batch.src.input_bgr[rows]), tf.constant(batch.dst.input_bgr[rows])
        )
        src_src, dst_dst, seen_by_dst, swap, seen_by_src = (picture.numpy() for picture in drawn)
        plain = PreviewColumns(src_face, src_src, dst_face, dst_dst, swap)
        masked = PreviewColumns(
            src_face * src_mask,
            src_src,
            dst_face * dst_mask,
            dst_dst * seen_by_dst,
            swap * self.swap_mask(seen_by_dst, seen_by_src),
        )
        return {**self.pages(plain, ""), **self.pages(masked, " masked")}

    def most_preview_rows(self) -> int | None:
        """How many faces a preview shows at most; None: as many as it is given."""
        return None

    def pages(self, columns: PreviewColumns, suffix: str) -> dict[str, NDArray[np.uint8]]:
        """One set of columns as pictures by page; `suffix` tells sets apart."""
        c = columns
        picture = page_of_columns([c.src, c.src_src, c.dst, c.dst_dst, c.swap])
        return {f"{self.spec.title}{suffix}": picture}

    def swap_mask(self, seen_by_dst: F32, seen_by_src: F32) -> F32:
        """What previews show of a swapped face: where both decoders see one."""
        return seen_by_dst * seen_by_src

    def _compile(self) -> None:
        self.autoencoder.recompute(self.options["recompute"])
        super()._compile()
        side_px = self.autoencoder.arch.resolution
        faces = tf.TensorSpec((None, side_px, side_px, 3), tf.float32)
        # Of any number: previews are too rare to be compiled for theirs.
        self._draw_preview = tf.function(
            self._preview_graph, input_signature=[faces, faces], autograph=False
        )

    def _preview_graph(self, src_faces: Tensor, dst_faces: Tensor) -> tuple[Tensor, ...]:
        drawn = self.draw(src_faces, dst_faces)
        decoder = self.autoencoder.decoder_src
        swap = drawn.codes.swap
        return (
            drawn.src_face,
            drawn.dst_face,
            drawn.dst_mask,
            decoder.image(swap),
            decoder.mask(swap),
        )
