"""What the models made of one autoencoder share: how faces are drawn, previews and prediction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.autoencoder_predictor import AutoencoderPredictor
from engine.models.net_model import MAIN_OPTIMIZER, NetModel, Objective, Sides, load_nets
from engine.nets.autoencoder import WIRINGS, Architecture, Autoencoder, Codes
from engine.nets.device import prepare_device
from engine.nets.layers import Block, Tensor
from engine.protocol.errors import InputError
from engine.train.batches import Batch
from engine.train.generations import Generations
from engine.train.previews import page_of_columns

F32 = NDArray[np.float32]
_MERGED_WITH = frozenset(name for names in WIRINGS.values() for name in names)


@dataclass(frozen=True)
class Drawn:
    """Both faces of a batch as their own decoders draw them. Float32, 0..1."""

    codes: Codes
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


@dataclass(frozen=True, eq=False)
class PreviewColumns:
    """Columns of pictures (n, R, R, 3) BGR, float32, 0..1, by what they show."""

    src: F32
    src_src: F32
    dst: F32
    dst_dst: F32
    swap: F32


class AutoencoderModel(NetModel):
    """A model of one df or liae autoencoder."""

    autoencoder: Autoencoder

    @staticmethod
    @abstractmethod
    def architecture(options: Mapping[str, Any]) -> Architecture:
        """How the nets look."""

    @staticmethod
    @abstractmethod
    def face_type(options: Mapping[str, Any]) -> FaceType:
        """How much of the head the faces show."""

    @abstractmethod
    def side_loss(self, side: Sides, face: Tensor, face_mask: Tensor) -> Tensor:
        """The loss of faces and masks drawn from a side's samples: (n,), float32."""

    @classmethod
    def load_predictor(
        cls, saves: Generations, device: str, warn: Callable[[str, str], None]
    ) -> AutoencoderPredictor:
        """See `engine.models.predictor.load_predictor`."""
        prepare_device(device, warn)
        saved = saves.newest(warn, only=_MERGED_WITH.__contains__)
        if saved is None:
            raise InputError(f"nothing is saved in {saves.folder}", "train the model first")
        options = saved.manifest.options
        autoencoder = Autoencoder(cls.architecture(options))
        load_nets(autoencoder.nets, saved)
        return AutoencoderPredictor(autoencoder, cls.face_type(options), saved.manifest)

    def make_nets(self) -> dict[str, Block]:
        self.autoencoder = Autoencoder(self.architecture(self.options), dtype=self.dtype)
        return self.autoencoder.nets

    def objective(self, src: Sides, dst: Sides) -> Objective:
        drawn = self.draw(src["input"], dst["input"])
        src_loss = self.side_loss(src, drawn.src_face, drawn.src_mask)
        dst_loss = self.side_loss(dst, drawn.dst_face, drawn.dst_mask)
        return Objective(
            (src_loss, dst_loss), {MAIN_OPTIMIZER: src_loss + dst_loss}, drawn.health()
        )

    def draw(self, src_faces: Tensor, dst_faces: Tensor) -> Drawn:
        """Each face by its own decoder; the swap is left to those who need it."""
        nets = self.autoencoder
        codes = nets.codes(src_faces, dst_faces)
        return Drawn(
            codes,
            nets.decoder_src.image(codes.src),
            nets.decoder_src.mask(codes.src),
            nets.decoder_dst.image(codes.dst),
            nets.decoder_dst.mask(codes.dst),
        )

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """Columns src, src drawn, dst, dst drawn, dst drawn as src; once whole, once masked."""
        src, dst = batch.src, batch.dst
        drawn = self._draw_preview(tf.constant(src.input_bgr), tf.constant(dst.input_bgr))
        src_src, dst_dst, dst_mask, swap, src_mask_of_dst = (x.numpy() for x in drawn)
        plain = PreviewColumns(src.target_bgr, src_src, dst.target_bgr, dst_dst, swap)
        swap_mask = self.swap_mask(dst_mask, src_mask_of_dst)
        masked = PreviewColumns(
            plain.src * src.mask,
            src_src,
            plain.dst * dst.mask,
            dst_dst * dst_mask,
            swap * swap_mask,
        )
        return {**self.pages(plain, ""), **self.pages(masked, " masked")}

    def pages(self, columns: PreviewColumns, suffix: str) -> dict[str, NDArray[np.uint8]]:
        """One set of columns as pictures by page; `suffix` tells sets apart."""
        c = columns
        picture = page_of_columns([c.src, c.src_src, c.dst, c.dst_dst, c.swap])
        return {f"{self.spec.title}{suffix}": picture}

    def swap_mask(self, dst_mask: F32, src_mask_of_dst: F32) -> F32:
        """What previews show of a swapped face: where both decoders see one."""
        return dst_mask * src_mask_of_dst

    def _compile(self) -> None:
        super()._compile()
        self._draw_preview = tf.function(self._preview_graph, reduce_retracing=True)

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
