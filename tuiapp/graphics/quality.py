"""How good the next frame may be: a ladder climbed by how fast the terminal took the last ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

# Terminal notes of the project: what still feels immediate on this machine, and over a network.
LOCAL_TARGET_MS = 80.0
REMOTE_TARGET_MS = 180.0

_SLOW_ACKS_BEFORE_STEP_DOWN = 2
_FAST_ACKS_BEFORE_STEP_UP = 12
_FAST_FRACTION = 0.5  # of the target: the next better level costs up to about twice as much
_MAX_PATIENCE = 16


@dataclass(frozen=True)
class Quality:
    """`colours` for sixel, `jpeg_quality` for iTerm2, `detail` (0..1, linear) for all protocols."""

    colours: int
    jpeg_quality: int
    detail: float


LADDER = (
    Quality(256, 90, 1.0),
    Quality(128, 80, 1.0),
    Quality(64, 65, 1.0),
    Quality(64, 60, 0.75),
    Quality(64, 50, 0.5),
)
BEST = LADDER[0]


def target_ms(environment: Mapping[str, str] = os.environ) -> float:
    """How long a frame may take to be shown, here or over SSH."""
    return REMOTE_TARGET_MS if is_remote(environment) else LOCAL_TARGET_MS


def is_remote(environment: Mapping[str, str] = os.environ) -> bool:
    """True in a session that came over SSH."""
    return "SSH_CONNECTION" in environment or "SSH_TTY" in environment


class QualityLadder:
    """Steps down after two slow acknowledgements, up after many fast ones.

    A level that proved too slow right after a step up is tried again only after twice the patience.
    """

    def __init__(self, target_ms: float) -> None:
        self.target_ms = target_ms
        self.level = 0
        self._slow = 0
        self._fast = 0
        self._patience = 1

    @property
    def quality(self) -> Quality:
        return LADDER[self.level]

    def record(self, ack_ms: float) -> None:
        """One frame's time from writing to the terminal's answer, in milliseconds."""
        if ack_ms > self.target_ms:
            self._fast = 0
            self._slow += 1
            if self._slow >= _SLOW_ACKS_BEFORE_STEP_DOWN:
                self._step_down()
        else:
            self._slow = 0
            self._fast = self._fast + 1 if ack_ms < self.target_ms * _FAST_FRACTION else 0
            if self._fast >= _FAST_ACKS_BEFORE_STEP_UP * self._patience and self.level > 0:
                self._step_up()

    def _step_down(self) -> None:
        self._slow = 0
        if self.level < len(LADDER) - 1:
            self.level += 1
            self._patience = min(self._patience * 2, _MAX_PATIENCE)

    def _step_up(self) -> None:
        self._fast = 0
        self.level -= 1
