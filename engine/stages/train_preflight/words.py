"""What was found, told in lines: a table of the nets, memory, disk, time, samples."""

from __future__ import annotations

import os

from engine.protocol.memory_advice import memory_remedy
from engine.protocol.stage import StageContext
from engine.stages.train_preflight.findings import Findings, Times
from engine.stages.train_preflight.trial import Trial
from engine.train.preflight import ModelSize


def tell(context: StageContext, findings: Findings) -> None:
    """What the trial of the chosen batch showed; warnings for what will not do."""
    begun = findings.trial.begun
    if begun is not None:
        context.note(f"{begun.device.description}, {begun.dtype}")
        for line in size_table(begun.size):
            context.note(line)
    _tell_of_memory(context, findings)
    _tell_of_disk(context, findings)
    times = findings.times(context.options["target_iter"])
    if times is not None:
        _tell_of_time(context, times)
        _tell_of_samples(context, times, real_faces=findings.real_faces)


def tell_of_trial(context: StageContext, batch_size: int, trial: Trial) -> None:
    """One line of the search for the largest batch."""
    if not trial.in_time:
        context.note(f"batch {batch_size}: no time left to try it")
    elif trial.why_not:
        context.note(f"batch {batch_size}: too large, {trial.why_not}")
    else:
        step_s = trial.steps[-1].step_s
        context.note(f"batch {batch_size}: fits, {_memory_words(trial)}, {step_s:.2f} s a step")


def tell_of_search(context: StageContext, findings: Findings) -> None:
    """What the search for the largest batch came to."""
    found = findings.largest
    if found is None:
        return
    if not found.fits:
        words = f"no batch that was tried fits, down to {found.too_large}"
    elif found.too_large is None:
        words = f"batch {found.fits} is the largest that was tried, and fits"
    else:
        words = f"batch {found.fits} fits, {found.too_large} does not"
    context.note(words if findings.searched else f"{words}; then the time was up (--try-minutes)")


def size_table(size: ModelSize) -> list[str]:
    """Nets, their weights and megabytes; then the optimizer and one save."""
    rows = [(net, _grouped(count), 4 * count) for net, count in size.weights.items()]
    rows += [
        ("all nets", _grouped(sum(size.weights.values())), size.weight_bytes),
        ("optimizer", "", size.optimizer_bytes),
        ("one save", "", size.generation_bytes),
    ]
    width = max(len(name) for name, _, _ in rows)
    head = f"{'net':{width}}  {'weights':>13}  {'MB':>8}"
    return [head, *(f"{name:{width}}  {count:>13}  {n / 1e6:>8.1f}" for name, count, n in rows)]


def _tell_of_memory(context: StageContext, findings: Findings) -> None:
    crops = f", the crops of all faces {_gb(findings.crop_bytes)}" if findings.crop_bytes else ""
    needs = f"{_memory_words(findings.trial)}{crops}; {_gb(findings.free_bytes)} may be taken"
    if findings.fits:
        context.note(f"batch {findings.batch_size}: fits, {needs}")
    else:
        why = findings.trial.why_not or needs
        words = f"batch {findings.batch_size}: too large, {why}"
        context.warn(words, memory_remedy(context.options))


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


def _tell_of_time(context: StageContext, times: Times) -> None:
    goal = "the target" if times.has_target else f"{_grouped(times.iterations)} iterations"
    context.note(
        f"{times.iterations_per_s:.3g} iterations/s ({times.cpu_s:.2f} s of CPU time each), after"
        f" {times.first_step_s:.0f} s of compiling; {times.hours:.1f} hours to {goal}"
    )
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > 2 * cores:  # the trial itself is a load of about as many as there are cores
        context.warn(
            f"the machine is busy (load {load:.0f} on {cores} cores): training is faster without"
            " what else runs here",
            "check again when it is idle",
        )


def _tell_of_samples(context: StageContext, times: Times, *, real_faces: bool) -> None:
    words = (
        f"{times.samples_wanted_per_s:.1f} samples/s are wanted, the loaders can deliver"
        f" {times.samples_deliverable_per_s:.1f} of {'these' if real_faces else 'made'} faces"
    )
    if times.loaders_keep_up:
        context.note(words)
    else:
        context.warn(words, "training would wait for samples: give it more --loaders")


def _memory_words(trial: Trial) -> str:
    own = f"{_gb(trial.peak_bytes)} of memory"
    return own if trial.gpu_bytes is None else f"{_gb(trial.gpu_bytes)} of the GPU, {own}"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
