"""What was found, as lines of a table and as facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from engine.protocol.stage import StageContext
from engine.stages.train_preflight.trial import Trial
from engine.train.preflight import DiskRoom, LargestBatch, ModelSize, hours_for
from engine.train.recovery import memory_remedy

USUAL_ITERATIONS = 100_000  # what the time is told for where there is no target
Fact = str | int | float | bool | None


@dataclass
class Findings:
    """What became known. trial: of the chosen batch. crop_bytes: what the crops of all faces take
    besides. free_bytes: what the training may take of the memory. real_faces: they were the
    workspace's own. searched: the search for the largest batch came to its own end."""

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

    @property
    def why_not(self) -> str:
        if self.trial.why_not or self.fits:
            return self.trial.why_not
        return f"with the crops of all faces it takes {_gb(self.memory_bytes)}"

    @property
    def iterations_per_s(self) -> float | None:
        timed = self.trial.steps_s[1:]
        return 1 / median(timed) if timed else None

    def facts(self, options: Mapping[str, Any]) -> dict[str, Fact]:
        """For the run's result."""
        return {
            "batch_size": self.batch_size,
            "fits": self.fits,
            **self._size_facts(),
            **self._memory_facts(),
            **self._time_facts(options),
            **self._search_facts(),
        }

    def _size_facts(self) -> dict[str, Fact]:
        if self.trial.begun is None or self.disk is None:
            return {}
        size = self.trial.begun.size
        return {
            "weights": sum(size.weights.values()),
            "weights_gb": _in_gb(size.weight_bytes),
            "optimizer_gb": _in_gb(size.optimizer_bytes),
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
        ended = self.trial.ended
        if ended is not None and ended.gpu_bytes is not None:
            facts["gpu_memory_gb"] = _in_gb(ended.gpu_bytes)
        return facts

    def _time_facts(self, options: Mapping[str, Any]) -> dict[str, Fact]:
        rate, ended = self.iterations_per_s, self.trial.ended
        if rate is None or ended is None:
            return {}
        iterations, name = self._to_go(options)
        return {
            "iterations_per_s": round(rate, 3),
            "samples_wanted_per_s": round(2 * self.batch_size * rate, 1),
            "samples_deliverable_per_s": round(ended.samples_per_s, 1),
            name: round(hours_for(iterations, rate), 2),
        }

    def _to_go(self, options: Mapping[str, Any]) -> tuple[int, str]:
        target = options["target_iter"]
        if target:
            return max(0, target - self.iteration), "hours_to_target"
        return USUAL_ITERATIONS, "hours_per_100k_iterations"

    def _search_facts(self) -> dict[str, Fact]:
        if self.largest is None:
            return {}
        return {
            "largest_batch_that_fits": self.largest.fits,
            "smallest_batch_too_large": self.largest.too_large,
            "largest_batch_searched_out": self.searched,
        }


def tell(context: StageContext, findings: Findings) -> None:
    """What a trial of the chosen batch showed, as a table; warnings for what will not do."""
    begun = findings.trial.begun
    if begun is not None:
        context.note(f"{begun.device.description}, {begun.dtype}")
        for line in size_table(begun.size):
            context.note(line)
    _tell_of_memory(context, findings)
    _tell_of_disk(context, findings)
    _tell_of_time(context, findings)


def size_table(size: ModelSize) -> list[str]:
    """Nets, their weights and megabytes; then the optimizer and one save."""
    rows = [
        (net, f"{weights:,}".replace(",", " "), 4 * weights)
        for net, weights in size.weights.items()
    ]
    total = f"{sum(size.weights.values()):,}".replace(",", " ")
    rows += [
        ("all nets", total, size.weight_bytes),
        ("optimizer", "", size.optimizer_bytes),
        ("one save", "", size.generation_bytes),
    ]
    width = max(len(name) for name, _, _ in rows)
    head = f"{'net':{width}}  {'weights':>13}  {'MB':>8}"
    return [
        head,
        *(f"{name:{width}}  {count:>13}  {size / 1e6:>8.1f}" for name, count, size in rows),
    ]


def tell_of_trial(context: StageContext, batch_size: int, trial: Trial) -> None:
    """One line of the search for the largest batch."""
    if not trial.in_time:
        context.note(f"batch {batch_size}: no time left to try it")
    elif trial.why_not:
        context.note(f"batch {batch_size}: too large, {trial.why_not}")
    else:
        context.note(f"batch {batch_size}: fits, {_memory_words(trial)}, {trial.steps_s[-1]:.2f} s")


def _tell_of_memory(context: StageContext, findings: Findings) -> None:
    if findings.fits:
        crops = f", and the crops of all faces {_gb(findings.crop_bytes)}"
        context.note(
            f"batch {findings.batch_size}: fits, {_memory_words(findings.trial)}"
            f"{crops if findings.crop_bytes else ''}; {_gb(findings.free_bytes)} may be taken"
        )
        return
    context.warn(
        f"batch {findings.batch_size}: too large, {findings.why_not}",
        memory_remedy(context.options),
    )


def _tell_of_disk(context: StageContext, findings: Findings) -> None:
    disk = findings.disk
    if disk is None:
        return
    words = (
        f"disk: {_gb(disk.free_bytes)} free, room for {disk.fitting} saves more; training keeps up"
        f" to {disk.wanted} at once, {disk.there} are there"
    )
    if disk.suffices:
        context.note(words)
    else:
        context.warn(words, "make room, or choose a smaller --keep and no --autobackup-hour")


def _tell_of_time(context: StageContext, findings: Findings) -> None:
    facts = findings._time_facts(context.options)
    if not facts:
        return
    name = next(name for name in facts if name.startswith("hours"))
    context.note(
        f"{facts['iterations_per_s']} iterations/s after {findings.trial.steps_s[0]:.0f} s of"
        f" compiling; {name.replace('_', ' ')}: {facts[name]}"
    )
    whose = "these faces" if findings.real_faces else "made faces"
    wanted, deliverable = facts["samples_wanted_per_s"], facts["samples_deliverable_per_s"]
    words = f"{wanted} samples/s are wanted, the loaders can deliver {deliverable} of {whose}"
    if float(str(deliverable)) >= float(str(wanted)):
        context.note(words)
    else:
        context.warn(words, "training would wait for samples: give it more --loaders")


def _memory_words(trial: Trial) -> str:
    gpu_bytes = trial.ended.gpu_bytes if trial.ended else None
    gpu = f" of the GPU and {_gb(trial.peak_bytes)}" if gpu_bytes is not None else ""
    return f"{_gb(trial.peak_bytes if gpu_bytes is None else gpu_bytes)}{gpu} of memory"


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


def _in_gb(count: int) -> float:
    return round(count / 1e9, 3)
