"""A workspace at a glance: what is there, how much of it, and the next sensible step.

Names and sizes only; nothing is opened except small JSON files of our own. Scanning 100 000 files
takes about a second, so the app does it in a thread.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.protocol.consent_judgement import WHO, ConsentGlance, consent_glance
from engine.protocol.dfm_files import READY_CLASS, SUFFIX, is_dfm
from engine.protocol.model_files import GENERATIONS, MODEL_PREVIEW, newest_generation
from engine.protocol.workspace import FACE_SUFFIXES, IMAGE_SUFFIXES, Side, Workspace

_DFL_DATA = "_data.dat"  # DFL: `NAME_CLASS_data.dat` in model/ makes a model exist
_DFL_CLASSES = ("SAEHD", "AMP", "Quick96", "XSeg")
# DFL's classes, and what they are here
IMPORTABLE = {"SAEHD": "saehd", "AMP": "amp", "Quick96": "quick96", "XSeg": "xseg"}
_MASKERS = frozenset({"xseg"})  # models that frames cannot be merged with
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9 .-]+")


@dataclass(frozen=True)
class FolderFact:
    """How many wanted files a folder holds, and their bytes."""

    count: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class FileFact:
    """A file's name, size in bytes and modification time in seconds."""

    name: str
    bytes: int
    mtime: float


@dataclass(frozen=True)
class SideSurvey:
    """One side: its video, frames, faces, and how its consents stand today."""

    video: FileFact | None
    frames: FolderFact
    faces: FolderFact
    packed: bool
    debug: FolderFact
    consent: ConsentGlance

    @property
    def is_empty(self) -> bool:
        """There is nothing to work on yet."""
        return not (self.video or self.frames.count or self.faces.count or self.packed)


@dataclass(frozen=True)
class ModelFact:
    """A model on disk. `origin`: "facewright"; "dfl" for DFL's own files (to be imported); "dfm"
    for a file that is ready to merge with, and cannot be trained."""

    name: str
    model_class: str
    iteration: int | None
    bytes: int
    origin: str
    latest_preview: Path | None = None


@dataclass(frozen=True)
class NextStep:
    """The stage to run next, with option values to start from, and why; None: nothing can run."""

    stage_id: str | None
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkspaceSurvey:
    """Everything the home screen shows."""

    src: SideSurvey
    dst: SideSurvey
    models: tuple[ModelFact, ...]
    merged: FolderFact
    merged_mask: FolderFact
    results: tuple[FileFact, ...]
    next_step: NextStep


def survey(workspace: Workspace) -> WorkspaceSurvey:
    """Look at the whole workspace."""
    src, dst = survey_side(workspace.src), survey_side(workspace.dst)
    models = survey_models(workspace)
    merged = count_files(workspace.dst.merged, IMAGE_SUFFIXES)
    results = tuple(fact for path in workspace.results() if (fact := _file_fact(path)) is not None)
    return WorkspaceSurvey(
        src,
        dst,
        models,
        merged,
        count_files(workspace.dst.merged_mask, IMAGE_SUFFIXES),
        results,
        next_step(src, dst, models, merged, results),
    )


def survey_side(side: Side) -> SideSurvey:
    """One side's video, frames, faces and consent."""
    video = side.video()
    return SideSurvey(
        video=_file_fact(video) if video else None,
        frames=count_files(side.frames, IMAGE_SUFFIXES),
        faces=count_files(side.aligned, FACE_SUFFIXES),
        packed=side.pack.is_file(),
        debug=count_files(side.aligned_debug, IMAGE_SUFFIXES),
        consent=consent_glance(side),
    )


def count_files(folder: Path, suffixes: frozenset[str]) -> FolderFact:
    """Count and add up the folder's visible files with these suffixes (lower case)."""
    count = size = 0
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for entry in entries:
                suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - 100k names
                if suffix in suffixes and not entry.name.startswith(".") and entry.is_file():
                    count += 1
                    size += entry.stat().st_size
    return FolderFact(count, size)


def survey_models(workspace: Workspace) -> tuple[ModelFact, ...]:
    """All models, ours, DFL's and ready-made ones, newest first."""
    if not workspace.models.is_dir():
        return ()
    found = []
    for path in workspace.models.iterdir():
        if path.name.startswith("."):
            continue  # being imported
        fact = _own_model(path) if path.is_dir() else _dfl_model(path) or _ready_model(path)
        if fact is not None:
            found.append((path.stat().st_mtime, fact))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(fact for _, fact in found)


def _own_model(folder: Path) -> ModelFact | None:
    generations = folder / GENERATIONS
    if not generations.is_dir():
        return None
    name, _, model_class = folder.name.rpartition("_")
    newest = newest_generation(folder)
    preview = folder / MODEL_PREVIEW
    return ModelFact(
        name,
        model_class,
        int(newest.name) if newest else None,
        sum(p.stat().st_size for p in newest.iterdir() if p.is_file()) if newest else 0,
        "facewright",
        preview if preview.is_file() else None,
    )


def _dfl_model(path: Path) -> ModelFact | None:
    stem = path.name.removesuffix(_DFL_DATA)
    name, _, model_class = stem.rpartition("_")
    if stem == path.name or model_class not in _DFL_CLASSES:
        return None
    nets = path.parent.glob(f"{stem}_*.npy")
    size = sum(net.stat().st_size for net in nets)
    return ModelFact(name, model_class, None, size, "dfl")


def _ready_model(path: Path) -> ModelFact | None:
    if not is_dfm(path):
        return None
    return ModelFact(path.stem, READY_CLASS, None, path.stat().st_size, READY_CLASS)


def _file_fact(path: Path) -> FileFact | None:
    try:
        status = path.stat()
    except OSError:
        return None  # gone since it was listed
    folder = path.is_dir()  # a result of single pictures
    size_bytes = count_files(path, IMAGE_SUFFIXES).bytes if folder else status.st_size
    return FileFact(path.name, size_bytes, status.st_mtime)


def next_step(
    src: SideSurvey,
    dst: SideSurvey,
    models: tuple[ModelFact, ...],
    merged: FolderFact,
    results: tuple[FileFact, ...],
) -> NextStep:
    """The first thing on the way from two videos to a result that is not there yet."""
    ready = [model for model in models if model.origin == READY_CLASS]
    for name, side in (("src", src), ("dst", dst)):
        if name == "src" and ready and src.is_empty:
            continue  # a ready-made model needs no faces to learn from
        step = _step_of_side(name, side)
        if step is not None:
            return step
    own = [
        model
        for model in models
        if model.origin == "facewright" and model.iteration and model.model_class not in _MASKERS
    ]
    if not own:
        to_import = [
            m for m in models if m.origin == "dfl" and _here(m.model_class) not in _MASKERS | {""}
        ]
        if to_import:
            return _import_step(to_import[0])
        if ready:
            return _step_with_ready(ready[0], merged, results)
        return NextStep("train", "both facesets are there, no trained model yet")
    chosen = {"model": own[0].name, "model_class": own[0].model_class}
    if not merged.count:
        return NextStep("merge", f"model {own[0].name} is at iteration {own[0].iteration}", chosen)
    if not results:
        for name, side in (("src", src), ("dst", dst)):
            if not side.consent.allows_final:
                reason = f"to render for good, record that the person {WHO[name]} agrees"
                return NextStep("consent-record", reason, {"side": name})
        return _render_step(merged)
    return NextStep("train", f"{results[0].name} is there; more training makes it better", chosen)


def _step_of_side(name: str, side: SideSurvey) -> NextStep | None:
    """What is missing before its faces are there."""
    if not side.frames.count and side.video is None:
        reason = f"no data_{name} video yet: put data_{name}.mp4 (or pictures in data_{name}/) here"
        return NextStep(None, reason)
    if not side.frames.count:
        reason = f"{side.video.name if side.video else ''} has no frames yet"
        return NextStep("video-extract", reason, {"side": name})
    if not side.faces.count and not side.packed:
        reason = f"{side.frames.count} {name} frames, no faces yet"
        return NextStep("faces-extract", reason, {"side": name})
    return None


def _step_with_ready(
    model: ModelFact, merged: FolderFact, results: tuple[FileFact, ...]
) -> NextStep:
    """What to do with a model that cannot be trained."""
    chosen = {"model": model.name, "model_class": model.model_class}
    if not merged.count:
        return NextStep("merge", f"{model.name}{SUFFIX} is ready to merge with", chosen)
    if not results:
        return _render_step(merged)
    reason = f"{results[0].name} is there; frames can be given other looks"
    return NextStep("merge-session", reason, chosen)


def _render_step(merged: FolderFact) -> NextStep:
    return NextStep("video-render", f"{merged.count} merged frames, no result video yet")


def _here(dfl_class: str) -> str:
    """What DFL's class is here; "" if nothing."""
    return IMPORTABLE.get(dfl_class, "")


def _import_step(model: ModelFact) -> NextStep:
    return NextStep(
        "model-import",
        f"{model.name} ({model.model_class}) is a model of DeepFaceLab's, not imported yet",
        import_values(model.name, model.model_class),
    )


def import_values(dfl_name: str, dfl_class: str) -> dict[str, str]:
    """What model-import is to be told of a model of DeepFaceLab's: the name without what ours
    cannot hold, and no class where there is none of that kind here."""
    name = _NOT_IN_NAMES.sub(" ", dfl_name).strip(" .-")[:64]
    here = {"model_class": _here(dfl_class)} if _here(dfl_class) else {}
    return {"model": name or "new", "dfl_name": dfl_name, **here}


def stage_state_of(workspace: Workspace, name: str) -> dict[str, Any]:
    """A stage's small JSON state, {} if there is none or it is not readable as an object."""
    try:
        state = json.loads((workspace.stage_state / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}
