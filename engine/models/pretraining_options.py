"""What the options of pretraining mean together, for all model classes that have them. Imports no
library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.protocol.errors import UsageError


def check_pretraining(options: Mapping[str, Any]) -> None:
    """Raises `UsageError` where a model pretrains, and no faces are named for it."""
    if options["pretrain"] and not options["pretrain_faces"]:
        raise UsageError(
            "--pretrain needs faces of many people",
            "name a folder of aligned faces or a faceset.pak with --pretrain-faces",
            code="option-value",
        )
