"""What all events are: small, typed and versioned.

Every event carries `t`, the wall-clock time in seconds, and `seq`, which counts up within a run.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

VERSION = 1


class Event(msgspec.Struct, tag_field="ev", kw_only=True):
    """Base of all events."""

    journalled: ClassVar[bool] = True

    t: float = 0.0
    seq: int = 0
    v: int = VERSION
