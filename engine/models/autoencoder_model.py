"""What all models made of one autoencoder share: the step, saving, previews and prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.predictor import Prediction
from engine.nets.autoencoder import Architecture, Autoencoder
from engine.nets.device import prepare_device
from engine.nets.initialisation import initialise, load_weights, weights_of
from engine.nets.layers import Tensor
from engine.nets.optimizers import Optimizer, global_norm
from engine.protocol.errors import InputError, StageError
from engine.train.batches import Batch, BatchStream, SideBatch
from engine.train.generations import Generation, Generations, Manifest, State
from engine.train.previews import page_of_columns
from engine.train.samples import Sampling
from engine.train.trainable import StepResult

F32 = NDArray[np.float32]
OPTIMIZER_FILE = "src_dst_opt"


class AutoencoderModel(ABC):
    """A model in training (`engine.train.trainable.Trainable`).

    Subclasses say how the nets look, what they train on, and what a side's loss is. options: those
    of the model class, complete. dtype: the Keras policy that the nets compute in. Starts with
    random weights of `seed`, or goes on from `saved`.
    """

    title: str

    def __init__(
        self, options: Mapping[str, Any], *, seed: int, dtype: str, saved: Generation | None = None
    ) -> None:
        self.options = options
        self.seed = seed
        self.iteration = 0
        self.autoencoder = Autoencoder(self.architecture(options), dtype=dtype)
        named = [
            (f"{net_name}/{name.removesuffix(':0')}", variable)
            for net_name, net in self.autoencoder.nets.items()
            for name, variable in net.named_weights()
        ]
        self._trained = [variable.value for _, variable in named]
        self.optimizer = self.make_optimizer(named)
        if saved:
            self.restore(saved)
        else:
            for net_name, net in self.autoencoder.nets.items():
                initialise(net, net_name, seed)
        self._step = tf.function(self._step_graph, reduce_retracing=True)
        self._draw = tf.function(self._draw_graph, reduce_retracing=True)

    @staticmethod
    @abstractmethod
    def architecture(options: Mapping[str, Any]) -> Architecture:
        """How the nets look."""

    @staticmethod
    @abstractmethod
    def face_type(options: Mapping[str, Any]) -> FaceType:
        """How much of the head the faces show."""

    @abstractmethod
    def sampling(self) -> Sampling:
        """What the model trains on."""

    @abstractmethod
    def make_optimizer(self, named_variables: list[tuple[str, Any]]) -> Optimizer:
        """The optimizer of all nets."""

    @abstractmethod
    def side_loss(self, target: Tensor, mask: Tensor, face: Tensor, face_mask: Tensor) -> Tensor:
        """The loss of predicted faces and masks: (n,), float32."""

    @classmethod
    def load_predictor(
        cls, saves: Generations, device: str, warn: Callable[[str, str], None]
    ) -> AutoencoderPredictor:
        """See `engine.models.predictor.load_predictor`."""
        prepare_device(device, warn)
        saved = saves.newest(warn, only=lambda stem: stem != OPTIMIZER_FILE)
        if saved is None:
            raise InputError(f"nothing is saved in {saves.folder}", "train the model first")
        options = saved.manifest.options
        autoencoder = Autoencoder(cls.architecture(options))
        load_nets(autoencoder, saved)
        return AutoencoderPredictor(autoencoder, cls.face_type(options), saved.manifest)

    def next_batch(self, batches: BatchStream) -> Batch:
        """What the coming step trains on."""
        return batches.next()

    def trace(self) -> None:
        """Turn the step into a graph now, which takes seconds, rather than within the first step:
        so that whoever starts the model can be stopped in between."""
        sampling = self.sampling()
        count, side_px = sampling.batch_size, sampling.kind.side_px
        channels = {"input": 3, "target": 3, "mask": 1}
        if sampling.kind.eyes_mouth:
            channels["eyes_mouth"] = 1
        side = {
            name: tf.TensorSpec((count, side_px, side_px, depth), tf.float32)
            for name, depth in channels.items()
        }
        self._step.get_concrete_function(side, side, tf.TensorSpec((), tf.float32))

    def train_step(self, batches: BatchStream, loss_limit: float = float("inf")) -> StepResult:
        """See `Trainable.train_step`."""
        batch = self.next_batch(batches)
        limit = tf.constant(loss_limit, tf.float32)
        try:
            src_loss, dst_loss, applied = self._step(
                _tensors(batch.src), _tensors(batch.dst), limit
            )
        except tf.errors.ResourceExhaustedError as error:
            raise StageError(
                f"the device has too little memory for {len(batch.src.input_bgr)} faces of each"
                f" side at once, after iteration {self.iteration}",
                "choose a smaller batch size, or end what else uses the device, and start again",
                code="out-of-memory",
            ) from error
        if applied:
            self.iteration += 1
        return StepResult((float(src_loss), float(dst_loss)), bool(applied))

    def state(self) -> State:
        """See `Trainable.state`."""
        nets = {name: weights_of(net) for name, net in self.autoencoder.nets.items()}
        moments = {name: variable.numpy() for name, variable in self.optimizer.named_state()}
        return {**nets, OPTIMIZER_FILE: moments}

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """Two pages of columns src, src drawn, dst, dst drawn, dst drawn as src; the second masked.

        The swap is masked by where both decoders see a face.
        """
        src, dst = batch.src, batch.dst
        drawn = self._draw(tf.constant(src.input_bgr), tf.constant(dst.input_bgr))
        src_src, dst_dst, dst_mask, swap, swap_mask = (picture.numpy() for picture in drawn)
        plain = [src.target_bgr, src_src, dst.target_bgr, dst_dst, swap]
        masks = [src.mask, 1, dst.mask, dst_mask, dst_mask * swap_mask]
        masked = [picture * mask for picture, mask in zip(plain, masks, strict=True)]
        return {
            self.title: page_of_columns(plain),
            f"{self.title} masked": page_of_columns(masked),
        }

    def _step_graph(
        self, src: dict[str, Tensor], dst: dict[str, Tensor], loss_limit: Tensor
    ) -> tuple[Tensor, ...]:
        """One step; weights change only after every gradient is computed and found finite."""
        with tf.GradientTape() as tape:
            src_losses, dst_losses = self.losses(src, dst)
            total = tf.reduce_sum(src_losses + dst_losses)
        gradients = tape.gradient(total, self._trained)
        src_loss, dst_loss = tf.reduce_mean(src_losses), tf.reduce_mean(dst_losses)
        finite = tf.math.is_finite(total) & tf.math.is_finite(global_norm(gradients))
        sound = finite & (src_loss + dst_loss <= loss_limit)
        if sound:
            self.optimizer.apply(gradients)
        return src_loss, dst_loss, sound

    def losses(self, src: dict[str, Tensor], dst: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The src and dst loss of each sample, (n,); sides as `input`, `target` and `mask`."""
        nets = self.autoencoder
        codes = nets.codes(src["input"], dst["input"])
        src_face, src_mask = nets.decoder_src.image(codes.src), nets.decoder_src.mask(codes.src)
        dst_face, dst_mask = nets.decoder_dst.image(codes.dst), nets.decoder_dst.mask(codes.dst)
        return (
            self.side_loss(src["target"], src["mask"], src_face, src_mask),
            self.side_loss(dst["target"], dst["mask"], dst_face, dst_mask),
        )

    def _draw_graph(self, src_faces: Tensor, dst_faces: Tensor) -> tuple[Tensor, ...]:
        nets = self.autoencoder
        codes = nets.codes(src_faces, dst_faces)
        return (
            nets.decoder_src.image(codes.src),
            nets.decoder_dst.image(codes.dst),
            nets.decoder_dst.mask(codes.dst),
            nets.decoder_src.image(codes.swap),
            nets.decoder_src.mask(codes.swap),
        )

    def restore(self, saved: Generation) -> None:
        """See `Trainable.restore`."""
        load_nets(self.autoencoder, saved)
        self.optimizer.load_state(saved.state.get(OPTIMIZER_FILE, {}))
        self.iteration = saved.manifest.iteration


class AutoencoderPredictor:
    """An autoencoder ready to merge with (`engine.models.predictor.FacePredictor`)."""

    def __init__(self, autoencoder: Autoencoder, face_type: FaceType, manifest: Manifest) -> None:
        self.resolution = autoencoder.arch.resolution
        self.face_type = face_type
        self.iteration = manifest.iteration
        self.fingerprint = manifest.fingerprint()
        self._autoencoder = autoencoder
        shape = (None, self.resolution, self.resolution, 3)
        self._swap = tf.function(
            autoencoder.swap, input_signature=[tf.TensorSpec(shape, tf.float32)]
        )

    def predict(self, crops_bgr: F32) -> Prediction:
        """See `FacePredictor.predict`. Raises `ValueError` for crops of another shape."""
        if crops_bgr.ndim != 4 or crops_bgr.shape[1:] != (self.resolution, self.resolution, 3):
            raise ValueError(f"crops of shape {crops_bgr.shape}, not of {self.resolution} px")
        face, mask_src, mask_dst = self._swap(tf.constant(crops_bgr, tf.float32))
        return Prediction(face.numpy(), mask_src.numpy()[..., 0], mask_dst.numpy()[..., 0])


def load_nets(autoencoder: Autoencoder, saved: Generation) -> None:
    """Give the nets their saved weights. Raises `InputError` naming a net that is missing."""
    for net_name, net in autoencoder.nets.items():
        if net_name not in saved.state:
            raise InputError(
                f"{saved.path} has no {net_name}",
                "restore the model's folder from a copy",
                code="model-damaged",
            )
        load_weights(net, net_name, saved.state[net_name])


def _tensors(side: SideBatch) -> dict[str, Tensor]:
    tensors = {"input": side.input_bgr, "target": side.target_bgr, "mask": side.mask}
    if side.eyes_mouth is not None:
        tensors["eyes_mouth"] = side.eyes_mouth
    return {name: tf.constant(array) for name, array in tensors.items()}
