"""DeepFaceLab 1.0's models at a size that a CPU trains in seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.models.dfl1 import model
from engine.models.dfl1.recipes import RECIPES
from engine.nets.dfl1_autoencoder import Layout


def narrow(layout: Layout) -> Layout:
    thin = {
        name: tuple(width // 16 for width in getattr(layout, name))
        for name in ("encoder", "decoder", "mask")
    }
    codes = dict.fromkeys(("code_units", "map_channels", "inter_channels"), 64)
    return replace(layout, resolution=64, residuals=min(1, layout.residuals), **thin, **codes)


def make_narrow(model_class: str, patch: pytest.MonkeyPatch) -> None:
    """Have models of the class made narrow, and learn in larger steps, as small nets do."""
    recipe = RECIPES[model_class]
    thin = replace(recipe, layout=lambda options: narrow(recipe.layout(options)))
    patch.setitem(RECIPES, model_class, thin)
    patch.setattr(model, "RATE", 1e-3)
