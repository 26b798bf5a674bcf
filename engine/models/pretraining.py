"""Models that may learn faces in general before the two of a swap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.models.autoencoder_model import AutoencoderModel
from engine.train.generations import Generation


class PretrainedModel(AutoencoderModel):
    """A model that begins at iteration 0 with fresh inter nets when its option `pretrain`, if it
    has one, is switched off."""

    def restore(self, saved: Generation) -> None:
        """See `Trainable.restore`. From a save of pretraining, a model that no longer pretrains
        begins at iteration 0 with fresh inter nets."""
        super().restore(saved)
        if saved.manifest.options.get("pretrain"):
            self._leave_pretraining()

    def change_options(self, changes: Mapping[str, Any]) -> None:
        """See `Trainable.change_options`. A model that stops pretraining begins at iteration 0 with
        fresh inter nets."""
        has_pretrained = self.options.get("pretrain")
        super().change_options(changes)
        if has_pretrained:
            self._leave_pretraining()

    def _leave_pretraining(self) -> None:
        """Unless it goes on."""
        if not self.options.get("pretrain"):
            self.reset_nets([name for name in self.autoencoder.nets if name.startswith("inter")])
            self.iteration = 0
