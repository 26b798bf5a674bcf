"""What AMP's options mean together. Imports no library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.models.saehd.settings import check_patch

# What AMP always does, by SAEHD's names for it (spec, training 10.1).
_ALWAYS: Mapping[str, Any] = {"masked_training": True, "eyes_mouth_prio": True}


def in_force(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a step goes by."""
    return {**options, **_ALWAYS}


def check(options: Mapping[str, Any]) -> None:
    """Raises `UsageError` where values that are each allowed do not go together."""
    if options["gan_power"]:
        check_patch(options["resolution"], options["gan_patch_size"])
