"""How fast a run trains."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class StepTimes:
    """Steps that were made, and the time of those that did not have to compile first."""

    made: int = 0
    timed: int = 0
    timed_s: float = 0.0
    compiles: bool = True  # the next step does

    def add(self, step_s: float) -> bool:
        """Count a step; whether its time says how fast the next will be."""
        self.made += 1
        counts = not self.compiles
        if counts:
            self.timed += 1
            self.timed_s += step_s
        self.compiles = False
        return counts

    @property
    def per_s(self) -> float:
        """Steps per second; 0 before any is timed."""
        return self.timed / self.timed_s if self.timed_s else 0.0
