"""XSeg in training. spec, training 11.

What is shown and masked with is the mean of the last steps' weights; see `RunningMean`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.net_model import Objective
from engine.models.passes import Sides
from engine.models.pretraining import PretrainedNets
from engine.models.xseg.losses import mask_loss, pretraining_loss
from engine.models.xseg.predictor import MEAN, NET, base_channels_of
from engine.models.xseg.running_mean import RunningMean
from engine.models.xseg.spec import XSEG
from engine.nets.distribution import ALONE, Distribution
from engine.nets.layers import Block, Tensor
from engine.nets.optimizers import RMSprop, Rule, Schedule
from engine.nets.xseg import BASE_CHANNELS, RESOLUTION, XSeg
from engine.train.batches import Batch, BatchStream
from engine.train.crops import CropKind
from engine.train.generations import Generation, State
from engine.train.previews import page_of_columns
from engine.train.samples import Sampling
from engine.train.trainable import StepResult

F32 = NDArray[np.float32]
OPTIMIZER = f"{NET}_opt"
SCHEDULE = Schedule(rate=1e-4, keep=0.3)
SCALE = 0.05
# What is not face is shown in half of this, BGR.
_OUTSIDE = np.array([0, 1, 0], np.float32)


class XSegModel(PretrainedNets):
    """The model class named `xseg`. Weights of other than 32 base channels keep theirs."""

    spec = XSEG
    main_file = OPTIMIZER
    is_one_sided = True
    base_channels: ClassVar[int] = BASE_CHANNELS
    """Of new models."""

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        seed: int,
        dtype: str,
        saved: Generation | None = None,
        distribution: Distribution = ALONE,
    ) -> None:
        self._base = base_channels_of(saved.state[NET]) if saved else self.base_channels
        super().__init__(options, seed=seed, dtype=dtype, saved=saved, distribution=distribution)

    def make_nets(self) -> dict[str, Block]:
        self.net = XSeg(self._base, dtype=self.dtype)
        self.mean_net = XSeg(self._base, dtype=self.dtype)
        self.mean = RunningMean(self.net, self.mean_net)
        return {NET: self.net}

    def sampling(self) -> Sampling:
        face_type = FaceType.from_short(self.options["face_type"])
        return Sampling(CropKind(face_type, RESOLUTION), self.samples_per_step(), scale=SCALE)

    def rule(self) -> Rule:
        return Rule(RMSprop, SCHEDULE)

    def restore(self, saved: Generation) -> None:
        """See `PretrainedNets.restore`."""
        self.mean.load(MEAN, saved.state.get(MEAN, {}))
        super().restore(saved)

    def forget_pretraining(self) -> None:
        """The weights stay as they are."""
        self.mean.begin_anew()

    def train_step(self, batches: BatchStream, loss_limit: float = float("inf")) -> StepResult:
        """See `Trainable.train_step`."""
        result = super().train_step(batches, loss_limit)
        if result.applied:
            self.mean.follow()
        return result

    def reset_nets(self, names: Sequence[str]) -> None:
        """See `Trainable.reset_nets`."""
        super().reset_nets(names)
        self.mean.begin_anew()

    def state(self) -> State:
        """See `Trainable.state`."""
        mean = self.mean.state()
        return {**super().state(), MEAN: mean} if mean else super().state()

    def objective(self, src: Sides, dst: Sides) -> Objective:
        """See `NetModel.objective`; `src` has all samples."""
        if self.options["pretrain"]:
            loss = pretraining_loss(src["mask"], self.net(src["input"], skips=False))
            return Objective((loss,), {OPTIMIZER: loss}, {})
        logits = self.net(src["input"])
        loss = mask_loss(src["mask"], logits)
        # A mask that goes to 0 or 1 everywhere shows a collapse before the loss does.
        health = {"mask_src": tf.reduce_mean(ops.sigmoid(logits))}
        return Objective((loss,), {OPTIMIZER: loss}, health)

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """Faces that are learned from: with their labels, the mask that is found, and that over the
        face; and any faces of both sides with theirs. In pretraining what is seen and drawn."""
        seen = batch.src.input_bgr
        found = self._found(seen)
        if self.options["pretrain"]:
            return {"XSeg pretraining": page_of_columns([seen, _grey(found)])}
        labelled = [_over(seen, batch.src.mask), _grey(found), _over(seen, found)]
        pages = {"XSeg training faces": page_of_columns(labelled)}
        for side, faces in batch.shown.items():
            masks = self._found(faces)
            columns = [faces, _grey(masks), _over(faces, masks)]
            pages[f"XSeg {side} faces"] = page_of_columns(columns)
        return pages

    def _found(self, faces_bgr: F32) -> F32:
        self.mean.be_ready()
        found: F32 = self._see(tf.constant(faces_bgr)).numpy()
        return found

    def _compile(self) -> None:
        super()._compile()
        faces = tf.TensorSpec((None, RESOLUTION, RESOLUTION, 3), tf.float32)
        # Of any number: previews are too rare to be compiled for theirs.
        self._see = tf.function(self._seen, input_signature=[faces], autograph=False)

    def _seen(self, faces: Tensor) -> Tensor:
        return ops.sigmoid(self.mean_net(faces, skips=not self.options["pretrain"]))


def _grey(masks: F32) -> F32:
    return np.repeat(masks, 3, axis=-1)


def _over(faces_bgr: F32, masks: F32) -> F32:
    """The faces with what is outside of their masks half green."""
    half_green = (faces_bgr + _OUTSIDE) * np.float32(0.5)
    return faces_bgr * masks + half_green * (1 - masks)
