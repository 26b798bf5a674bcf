"""AMP in training: codes of src faces mix channels of both inter nets. spec, training 10."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.amp.losses import (
    gan_judge_loss_of_both,
    gan_loss_of_both,
    surroundings_loss,
)
from engine.models.amp.predictor import AmpPredictor
from engine.models.amp.settings import in_force
from engine.models.amp.spec import AMP
from engine.models.autoencoder_model import DrawnFaces, newest_save
from engine.models.net_model import MAIN_OPTIMIZER, Adversary, NetModel, Objective, load_nets
from engine.models.passes import Sides
from engine.models.saehd.losses import Targets, drawing_loss
from engine.models.swap_training import (
    GAN,
    GAN_OPTIMIZER,
    TALLEST_PREVIEW_PX,
    face_type_of,
    gan,
    sampling,
    schedule,
)
from engine.nets.device import prepare_device
from engine.nets.layers import Block, Tensor
from engine.nets.morph_autoencoder import INTERS, NETS, MorphArchitecture, MorphAutoencoder
from engine.nets.optimizers import AdaBelief, Rule
from engine.train.batches import Batch
from engine.train.generations import Generations
from engine.train.previews import page_of_columns
from engine.train.samples import Sampling

F32 = NDArray[np.float32]
SHOWN_FACTORS = (0.25, 0.5, 0.65, 0.75, 1.0)
PAGE_ROWS_OF_FACE = 2


class Amp(NetModel):
    """The model class named `amp`."""

    spec = AMP
    autoencoder: MorphAutoencoder

    @staticmethod
    def architecture(options: Mapping[str, Any]) -> MorphArchitecture:
        """How the nets look."""
        dims = ("ae_dims", "inter_dims", "e_dims", "d_dims", "d_mask_dims")
        return MorphArchitecture(options["resolution"], **{name: options[name] for name in dims})

    @staticmethod
    def face_type(options: Mapping[str, Any]) -> FaceType:
        """How much of the head the faces show."""
        return face_type_of(options)

    @classmethod
    def load_predictor(
        cls, saves: Generations, device: str, warn: Callable[[str, str], None]
    ) -> AmpPredictor:
        """See `engine.models.predictor.load_predictor`."""
        prepare_device(device, warn)
        saved = newest_save(saves, warn, NETS)
        options = saved.manifest.options
        autoencoder = MorphAutoencoder(cls.architecture(options))
        load_nets(autoencoder.nets, saved)
        return AmpPredictor(autoencoder, cls.face_type(options), saved.manifest)

    def make_nets(self) -> dict[str, Block]:
        self.autoencoder = MorphAutoencoder(self.architecture(self.options), dtype=self.dtype)
        return self.autoencoder.nets

    def rule(self) -> Rule:
        return Rule(AdaBelief, schedule(self.options))

    def sampling(self) -> Sampling:
        return sampling(self.options, self.samples_per_step(), eyes_mouth=True)

    def frozen(self) -> frozenset[str]:
        """DeepFaceLab leaves both inter nets at their random start (trap T5)."""
        return frozenset(() if self.options["train_inters"] else INTERS)

    def weights_on_cpu(self) -> bool:
        return not self.options["models_opt_on_gpu"]

    def adversaries(self, options: Mapping[str, Any]) -> tuple[Adversary, ...]:
        return (gan(options, self.dtype),)

    def objective(self, src: Sides, dst: Sides) -> Objective:
        options = in_force(self.options)
        drawn = self.draw(src["input"], dst["input"], self.channels_of_src(src["input"]))
        of_src, of_dst = Targets.of(src, options), Targets.of(dst, options)
        src_loss = drawing_loss(of_src, drawn.src_face, drawn.src_mask, options, two_windows_from=0)
        dst_loss = drawing_loss(of_dst, drawn.dst_face, drawn.dst_mask, options, two_windows_from=0)
        surroundings = surroundings_loss(of_dst, drawn.dst_face)
        lowered = {MAIN_OPTIMIZER: src_loss + dst_loss + surroundings}
        if GAN_OPTIMIZER in self.learners:
            self._add_gan(lowered, of_src, of_dst, drawn)
        return Objective((src_loss, dst_loss), lowered, drawn.health())

    def draw(self, src_faces: Tensor, dst_faces: Tensor, from_src: Tensor) -> DrawnFaces:
        """Both faces of a batch; `from_src` as `MorphAutoencoder.codes` takes it."""
        codes = self.autoencoder.codes(src_faces, dst_faces, from_src)
        return DrawnFaces(*self.autoencoder.drawn(*codes))

    def channels_of_src(self, src_faces: Tensor) -> Tensor:
        """(n, inter_dims) bool: which channels of each src face's code come from its own inter net,
        as many as the morph factor says, drawn anew in every step.

        The draw follows from the model's seed, the number of the step and a pixel of the batch: a
        step that is repeated has the same, and pieces of a batch have others than each other.
        """
        channels, middle = self.options["inter_dims"], self.options["resolution"] // 2
        pixel = tf.bitcast(src_faces[0, middle, middle, 0], tf.int32)
        step = tf.cast(self.main.optimizer.iterations.value, tf.int32)
        seed = tf.stack([step, tf.bitwise.bitwise_xor(pixel, self.seed)])
        shape = (tf.shape(src_faces)[0], channels)
        shuffled = tf.argsort(tf.random.stateless_uniform(shape, seed), axis=-1)
        return tf.argsort(shuffled, axis=-1) < int(channels * self.options["morph_factor"])

    def _add_gan(
        self, lowered: dict[str, Tensor], src: Targets, dst: Targets, drawn: DrawnFaces
    ) -> None:
        options = in_force(self.options)
        judge: Any = self.learners[GAN_OPTIMIZER].nets[GAN]
        src_real, src_drawn, dst_real, dst_drawn = (
            judge(side.counted(face, options))
            for side, face in (
                (src, src.face),
                (src, drawn.src_face),
                (dst, dst.face),
                (dst, drawn.dst_face),
            )
        )
        lowered[MAIN_OPTIMIZER] += gan_loss_of_both(
            src_drawn, dst_drawn, src, drawn.src_face, options
        )
        lowered[GAN_OPTIMIZER] = gan_judge_loss_of_both(
            (src_real, src_drawn), (dst_real, dst_drawn)
        )

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """Two rows for each face. The first page has src, dst, dst drawn and masked; src drawn, dst
        drawn, dst drawn as src. The others have dst drawn and then morphed more and more, once
        whole, once masked."""
        side_px = self.options["resolution"]
        rows = slice(max(1, TALLEST_PREVIEW_PX // (PAGE_ROWS_OF_FACE * side_px)))
        src_face, dst_face = batch.src.target_bgr[rows], batch.dst.target_bgr[rows]
        drawn = self._draw_preview(
            tf.constant(batch.src.input_bgr[rows]), tf.constant(batch.dst.input_bgr[rows])
        )
        src_src, dst_dst, seen_by_dst, morphs, seen_by_src = (picture.numpy() for picture in drawn)
        masked_dst = dst_dst * seen_by_dst
        first = [src_face, dst_face, masked_dst, src_src, dst_dst, morphs[-1]]
        masked = morphs * seen_by_dst * seen_by_src
        return {
            "AMP morph 1.0": _page(first),
            "AMP morph list": _page([dst_dst, *morphs]),
            "AMP morph list masked": _page([masked_dst, *masked]),
        }

    def _compile(self) -> None:
        self.autoencoder.recompute(self.options["recompute"])
        super()._compile()
        side_px = self.options["resolution"]
        faces = tf.TensorSpec((None, side_px, side_px, 3), tf.float32)
        # Of any number: previews are too rare to be compiled for theirs.
        self._draw_preview = tf.function(
            self._preview_graph, input_signature=[faces, faces], autograph=False
        )

    def _preview_graph(self, src_faces: Tensor, dst_faces: Tensor) -> tuple[Tensor, ...]:
        """Src drawn, dst drawn and its mask; morphs and their masks: (factors, n, R, R, c)."""
        count = tf.shape(dst_faces)[0]
        from_src = self.autoencoder.first_channels(tf.fill([count], self.options["morph_factor"]))
        drawn = self.draw(src_faces, dst_faces, from_src)
        factors = tf.repeat(tf.constant(SHOWN_FACTORS), count)
        dst_faces = tf.tile(dst_faces, (len(SHOWN_FACTORS), 1, 1, 1))
        morphs, masks, _ = self.autoencoder.swap(dst_faces, factors)
        return (
            drawn.src_face,
            drawn.dst_face,
            drawn.dst_mask,
            *(tf.stack(tf.split(x, len(SHOWN_FACTORS))) for x in (morphs, masks)),
        )


def _page(pictures: list[F32]) -> NDArray[np.uint8]:
    """Six columns of pictures as three: the last three stand under the first, face by face."""
    pairs = zip(pictures[:3], pictures[3:], strict=True)
    return page_of_columns(
        [np.stack(pair, axis=1).reshape(-1, *pair[0].shape[1:]) for pair in pairs]
    )
