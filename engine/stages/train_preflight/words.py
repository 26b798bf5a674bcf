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


def tell_what_is_not_tried(context: StageContext) -> None:
    """A warning where training would be shared: it is tried on one device of this machine alone."""
    options = context.options
    machines = len(options["workers"].split(","))
    devices = len(options["device"].split(","))
    if machines * devices > 1:
        context.warn(
            f"--workers and --device name {machines} machines of {devices} devices, and the whole"
            f" batch of {options['batch_size']} is tried on one device of this machine: memory and"
            " times are not those of the training that they would share",
            f"each device has a {machines * devices}th of every batch: check with --batch-size"
            f" {max(1, options['batch_size'] // (machines * devices))} and a single --device",
        )


def tell_of_trial(context: StageContext, batch_size: int, trial: Trial) -> None:
    """One line of the search for the largest batch."""
    if not trial.in_time:
        words = "no time left to try it"
    elif trial.why_not:
        words = f"too large: {trial.why_not}"
    else:
        words = f"fits  {_memory_words(trial)}  {trial.steps[-1].step_s:.2f} s a step"
    context.note(f"batch {batch_size:<4} {words}")


def tell_of_search(context: StageContext, findings: Findings) -> None:
    """What the search for the largest batch came to."""
    found = findings.largest
    if found is None:
        return
    if not found.fits:
        words = f"none that was tried fits, down to {found.too_large}"
    elif found.too_large is None:
        words = f"{found.fits} is the largest tried, and fits"
    else:
        words = f"{found.fits} fits, {found.too_large} does not"
    _row(context, "largest", f"batch {words}")
    if not findings.searched:
        _row(context, "", "then the time was up (--try-minutes)")


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
    words = f"batch {findings.batch_size} takes {_memory_words(findings.trial)}"
    if findings.fits:
        _row(context, "memory", words)
        if findings.crop_bytes:
            _row(context, "", f"crops of all faces take {_gb(findings.crop_bytes)}")
        _row(context, "", f"{_gb(findings.free_bytes)} may be taken")
        return
    why = findings.trial.why_not or (
        f"with the crops of all faces it takes {_gb(findings.memory_bytes)},"
        f" and {_gb(findings.free_bytes)} may be taken"
    )
    words = f"batch {findings.batch_size} is too large: {why}"
    context.warn(words, memory_remedy(context.options))


def _tell_of_disk(context: StageContext, findings: Findings) -> None:
    disk = findings.disk
    if disk is None:
        return
    _row(context, "disk", f"{_gb(disk.free_bytes)} free: room for {disk.fitting} saves more")
    _row(context, "", f"up to {disk.wanted} are kept at once, {disk.there} are there")
    if not disk.suffices:
        context.warn(
            f"the disk has no room for all {disk.wanted} saves",
            "make room, or choose a smaller --keep and no --autobackup-hour",
        )


def _tell_of_time(context: StageContext, times: Times) -> None:
    goal = "the target" if times.has_target else f"{_grouped(times.iterations)} iterations"
    _row(
        context,
        "speed",
        f"{times.iterations_per_s:.3g} iterations/s ({times.cpu_s:.2f} s of CPU each)",
    )
    _row(context, "", f"{times.hours:.1f} hours to {goal}")
    _row(context, "", f"{times.first_step_s:.0f} s for the first, which compiles")
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > 2 * cores:  # the trial itself is a load of about as many as there are cores
        context.warn(
            f"the machine is busy (load {load:.0f} on {cores} cores): training alone is faster",
            "check again when nothing else runs here",
        )


def _tell_of_samples(context: StageContext, times: Times, *, real_faces: bool) -> None:
    whose = "these" if real_faces else "made"
    wanted = f"{times.samples_wanted_per_s:.1f}/s wanted of {whose} faces"
    deliverable = f"{times.samples_deliverable_per_s:.1f}/s can be made"
    if times.loaders_keep_up:
        _row(context, "samples", f"{wanted}, {deliverable}")
    else:
        context.warn(f"training would wait for samples: {wanted}, {deliverable}", "raise --loaders")


def _row(context: StageContext, head: str, words: str) -> None:
    """Rows, not sentences: a screen of 120 columns has 48 for a note."""
    context.note(f"{head:8} {words}")


def _memory_words(trial: Trial) -> str:
    own = _gb(trial.peak_bytes)
    return own if trial.gpu_bytes is None else f"{_gb(trial.gpu_bytes)} of the GPU, {own} besides"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
