"""How fast a run trains."""

from __future__ import annotations

from dataclasses import dataclass

from engine.train.batches import BatchStream


@dataclass
class StepTimes:
    """Steps that were made, and the time of those that did not have to compile first."""

    made: int = 0
    timed: int = 0
    timed_s: float = 0.0
    compiles: bool = True  # the next step does

    def add(self, step_s: float) -> bool:
        """Count a step; whether it compiled first, so that its time says nothing of the next."""
        self.made += 1
        has_compiled, self.compiles = self.compiles, False
        if not has_compiled:
            self.timed += 1
            self.timed_s += step_s
        return has_compiled

    @property
    def per_s(self) -> float:
        """Steps per second; 0 before any is timed."""
        return self.timed / self.timed_s if self.timed_s else 0.0


def sample_figures(times: StepTimes, batches: BatchStream) -> dict[str, float]:
    """How many samples per second the steps take, and how many the loaders could make."""
    wanted = len(batches.sides) * batches.batch_size * times.per_s
    deliverable = batches.rates.deliverable_per_s(batches.threads)
    return {
        "samples_wanted_per_s": round(wanted, 1),
        "samples_deliverable_per_s": round(deliverable, 1),
    }
