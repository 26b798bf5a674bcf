"""Models that may learn faces in general before what they are for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from engine.models.autoencoder_model import AutoencoderModel
from engine.models.net_model import NetModel
from engine.train.generations import Generation


class PretrainedNets(NetModel):
    """A model that begins at iteration 0 when its option `pretrain`, if it has one, is switched
    off."""

    @abstractmethod
    def forget_pretraining(self) -> None:
        """Let go of what is of no use after it."""

    def restore(self, saved: Generation) -> None:
        """See `Trainable.restore`. From a save of pretraining, a model that no longer pretrains
        begins at iteration 0 (`forget_pretraining`)."""
        super().restore(saved)
        if saved.manifest.options.get("pretrain"):
            self._leave_pretraining()

    def change_options(self, changes: Mapping[str, Any]) -> None:
        """See `Trainable.change_options`. A model that stops pretraining begins at iteration 0
        (`forget_pretraining`)."""
        has_pretrained = self.options.get("pretrain")
        super().change_options(changes)
        if has_pretrained:
            self._leave_pretraining()

    def _leave_pretraining(self) -> None:
        """Unless it goes on."""
        if not self.options.get("pretrain"):
            self.forget_pretraining()
            self.iteration = 0


class PretrainedModel(PretrainedNets, AutoencoderModel):
    """An autoencoder that keeps what it learned of faces, and begins anew with its inter nets."""

    def forget_pretraining(self) -> None:
        self.reset_nets([name for name in self.autoencoder.nets if name.startswith("inter")])
