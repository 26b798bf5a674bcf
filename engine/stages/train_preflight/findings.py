"""What the trials showed, and the facts that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from engine.stages.train_preflight.trial import Trial
from engine.train.preflight import DiskRoom, LargestBatch, hours_for

USUAL_ITERATIONS = 100_000  # what the time is told for where there is no target
Fact = str | int | float | bool | None


@dataclass(frozen=True)
class Times:
    """How fast it goes. first_step_s: the one that compiles. cpu_s: of one iteration, all threads
    together. hours: for `iterations`, those up to the target if there is one."""

    first_step_s: float
    iterations_per_s: float
    cpu_s: float
    samples_wanted_per_s: float
    samples_deliverable_per_s: float
    iterations: int
    has_target: bool

    @property
    def hours(self) -> float:
        return hours_for(self.iterations, self.iterations_per_s)

    @property
    def loaders_keep_up(self) -> bool:
        return self.samples_deliverable_per_s >= self.samples_wanted_per_s


@dataclass
class Findings:
    """What became known. trial: of the chosen batch. crop_bytes: what the crops of all faces take
    besides. free_bytes: what the training may take of the memory. real_faces: they were the
    workspace's own. iteration: where the model stands. searched: the search for the largest batch
    came to its own end."""

    trial: Trial
    batch_size: int
    crop_bytes: int
    free_bytes: int
    real_faces: bool
    iteration: int = 0
    disk: DiskRoom | None = None
    largest: LargestBatch | None = None
    searched: bool = False

    @property
    def memory_bytes(self) -> int:
        """What training takes of the machine's memory."""
        return self.trial.peak_bytes + self.crop_bytes

    @property
    def fits(self) -> bool:
        return not self.trial.why_not and self.memory_bytes <= self.free_bytes

    def times(self, target_iter: int) -> Times | None:
        """None if the trial did not come to its end. target_iter: 0 for none."""
        ended, timed = self.trial.ended, self.trial.steps[1:]
        if ended is None or not timed:
            return None
        per_s = 1 / median(step.step_s for step in timed)
        return Times(
            self.trial.steps[0].step_s,
            per_s,
            median(step.cpu_s for step in timed),
            ended.samples_per_step * per_s,
            ended.deliverable_per_s,
            max(0, target_iter - self.iteration) if target_iter else USUAL_ITERATIONS,
            bool(target_iter),
        )

    def facts(self, options: Mapping[str, Any]) -> dict[str, Fact]:
        """For the run's result: what decides first, since a small screen shows no more."""
        return {
            "batch_size": self.batch_size,
            "fits": self.fits,
            **self._memory_facts(),
            **self._search_facts(),
            **self._time_facts(options["target_iter"]),
            **self._size_facts(),
        }

    def _size_facts(self) -> dict[str, Fact]:
        if self.trial.begun is None or self.disk is None:
            return {}
        size = self.trial.begun.size
        return {
            "weights": sum(size.weights.values()),
            "save_gb": _in_gb(size.generation_bytes),
            "saves_wanted": self.disk.wanted,
            "saves_there": self.disk.there,
            "saves_fitting": self.disk.fitting,
        }

    def _memory_facts(self) -> dict[str, Fact]:
        facts: dict[str, Fact] = {
            "memory_gb": _in_gb(self.memory_bytes),
            "memory_free_gb": _in_gb(self.free_bytes),
        }
        gpu_bytes = self.trial.gpu_bytes
        return facts if gpu_bytes is None else {**facts, "gpu_memory_gb": _in_gb(gpu_bytes)}

    def _time_facts(self, target_iter: int) -> dict[str, Fact]:
        times = self.times(target_iter)
        if times is None:
            return {}
        return {
            "iterations_per_s": round(times.iterations_per_s, 3),
            "cpu_s_per_iteration": round(times.cpu_s, 2),
            "samples_wanted_per_s": round(times.samples_wanted_per_s, 1),
            "samples_deliverable_per_s": round(times.samples_deliverable_per_s, 1),
            "hours_to_target" if times.has_target else "hours_per_100k": round(times.hours, 2),
        }

    def _search_facts(self) -> dict[str, Fact]:
        if self.largest is None:
            return {}
        return {
            "largest_batch_that_fits": self.largest.fits,
            "smallest_batch_too_large": self.largest.too_large,
            "all_batches_tried_in_time": self.searched,
        }


def _in_gb(count: int) -> float:
    return round(count / 1e9, 3)
