"""The train-preflight stage: a few steps are tried in processes of their own, and what they took is
told."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace

from engine.models.classes import model_spec
from engine.protocol.errors import InputError
from engine.protocol.model_files import SaveFact, list_saves
from engine.protocol.options import Integer
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.stages.train.faces import CACHE_SHARE, LARGEST_CACHE_BYTES, TrainingFaces
from engine.stages.train_preflight.attempt import Job, Report, Stepped, Warned
from engine.stages.train_preflight.findings import Findings
from engine.stages.train_preflight.trial import Bounds, Trial, try_job
from engine.stages.train_preflight.words import (
    tell,
    tell_of_search,
    tell_of_trial,
    tell_what_is_not_tried,
)
from engine.train.memory_room import available_bytes
from engine.train.preflight import DiskRoom, find_largest_batch, saves_wanted
from engine.train.samples import Sampling
from engine.train.side_faces import Face

TIMED_STEPS = 5
SEARCH_STEPS = 1  # the first fills the memory; the second has the copies for a save beside it
FACES_TRIED = 64  # of each side: enough that no step of a trial meets a face twice
# For other programs, and for what days of training need that a minute does not show.
RESERVE_BYTES = 1 << 30


def run(context: StageContext) -> None:
    """Tell what training with these options would need. Raises `Stopped`, `InputError` for a device
    that is not there, `StageError` if the trial breaks by itself."""
    spec = model_spec(context.options["model_class"])
    tell_what_is_not_tried(context)
    folder = context.workspace.model(context.options["model"], spec.id)
    saves = [save for save in list_saves(folder) if save.kind == "generation"]
    rehearsal = Rehearsal(context, spec)
    findings = rehearsal.measure()
    findings.disk = _disk_room(context, findings, saves)
    findings.iteration = max((save.iteration for save in saves), default=0)
    tell(context, findings)
    try:
        if context.options["try_minutes"]:
            rehearsal.search(findings)
            tell_of_search(context, findings)
    finally:  # who stops the search wants to know what is known
        context.result(**findings.facts(context.options))


class Rehearsal:
    """Tries a model class with the run's options."""

    def __init__(self, context: StageContext, spec: ModelSpec) -> None:
        self.context = context
        self.spec = spec
        self.face_count = 0
        self.tries = 0
        self.job = self._job()

    def measure(self) -> Findings:
        """The chosen batch: memory, time, what the loaders deliver."""
        free_bytes = self._free_bytes()
        trial = self._try(self.job, Bounds(free_bytes, float("inf")))
        crop_bytes = self._crop_bytes(trial.begun.sampling) if trial.begun else 0
        batch_size = self.job.options["batch_size"]
        return Findings(trial, batch_size, crop_bytes, free_bytes, bool(self.job.src_faces))

    def search(self, findings: Findings) -> None:
        """The largest batch that fits, as far as the time for it goes."""
        until = time.monotonic() + 60 * self.context.options["try_minutes"]

        def fits(size: int) -> bool | None:
            if size == findings.batch_size:
                return findings.fits
            job = replace(
                self.job, options={**self.job.options, "batch_size": size}, steps=SEARCH_STEPS
            )
            budget = self._free_bytes() - findings.crop_bytes
            trial = self._try(job, Bounds(budget, until))
            tell_of_trial(self.context, size, trial)
            return not trial.why_not if trial.in_time else None

        most = next(o for o in self.spec.options if o.name == "batch_size").kind
        if not isinstance(most, Integer):
            raise TypeError("a batch size is a whole number")
        found, searched = find_largest_batch(findings.batch_size, most.maximum, fits)
        findings.largest, findings.searched = found, searched

    def _try(self, job: Job, bounds: Bounds) -> Trial:
        self.tries += 1
        size, steps = job.options["batch_size"], 0

        def hear(report: Report) -> None:
            nonlocal steps
            if isinstance(report, Warned) and self.tries == 1:
                self.context.warn(report.text, report.remedy)
            if isinstance(report, Stepped):
                steps += 1
            what = f"batch {size}, {steps} of {1 + job.steps} steps"
            self.context.progress(self.tries, None, unit="trials", note=what)

        self.context.progress(self.tries, None, unit="trials", note=f"batch {size}")
        return try_job(job, bounds, self.context, hear)

    def _job(self) -> Job:
        options = self.context.options
        src, dst = self._faces()
        return Job(
            model_class=self.spec.id,
            options={option.name: options[option.name] for option in self.spec.options},
            device=options["device"],
            precision=options["precision"],
            loaders=options["loaders"],
            steps=TIMED_STEPS,
            src_faces=src,
            dst_faces=dst,
        )

    def _faces(self) -> tuple[Sequence[Face], Sequence[Face]]:
        """Some of the faces that would be trained on; none if they cannot be used yet."""
        try:
            src, dst = TrainingFaces(self.context).open(self.context.options)
        except InputError as error:
            self.context.warn(f"made faces stand in for real ones: {error.message}", error.remedy)
            return (), ()
        self.face_count = len(src) if src is dst else len(src) + len(dst)
        return _some(src), _some(dst)

    def _free_bytes(self) -> int:
        return max(0, available_bytes() - RESERVE_BYTES)

    def _crop_bytes(self, sampling: Sampling) -> int:
        """What the crops of all faces take, which training keeps, 8 bits a value."""
        channels = 5 if sampling.kind.eyes_mouth else 4
        all_bytes = self.face_count * sampling.kind.side_px**2 * channels
        return min(all_bytes, LARGEST_CACHE_BYTES, int(available_bytes() * CACHE_SHARE))


def _some(faces: Sequence[Face]) -> Sequence[Face]:
    """A few from all over the set."""
    count = min(len(faces), FACES_TRIED)
    return tuple(faces[number * len(faces) // count] for number in range(count))


def _disk_room(
    context: StageContext, findings: Findings, saves: Sequence[SaveFact]
) -> DiskRoom | None:
    begun = findings.trial.begun
    if begun is None:
        return None
    options = context.options
    return DiskRoom(
        begun.size.generation_bytes,
        wanted=saves_wanted(options["keep"], options["autobackup_hour"]),
        there=len(saves),
        free_bytes=shutil.disk_usage(context.workspace.root).free,
    )
