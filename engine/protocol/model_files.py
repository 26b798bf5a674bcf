"""What viewers may know of a model's folder, `model/NAME_CLASS/`, without loading it.

generations/00000123/       the saves that training makes
backups/AUTO-.../           copies of generations, made every few hours or on request
snapshots/NAME/             copies of generations that somebody gave a name
preview_history/PAGE/       preview pictures by iteration
tensorboard/                event files
last_options.json           options that no save tells: see `LastOptions`
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from engine.protocol.errors import InputError

GENERATIONS = "generations"
BACKUPS = "backups"
SNAPSHOTS = "snapshots"
PREVIEW_HISTORY = "preview_history"
TENSORBOARD = "tensorboard"
LAST_OPTIONS = "last_options.json"
MODEL_PREVIEW = "preview.jpg"  # the latest preview
MANIFEST = "manifest.json"  # in every save: what it holds
ABOUT = "about.json"  # in backups and snapshots: who they are a copy of, and the note
PREVIEW_PICTURES = "pictures.json"  # in the preview history: see PreviewPictures
OPTIMIZER_ENDING = "_opt"  # of the names of files that hold an optimizer's state, not a net
LARGEST_MANIFEST_BYTES = 1 << 20

_KINDS = {GENERATIONS: "generation", BACKUPS: "backup", SNAPSHOTS: "snapshot"}


class SaveFact(msgspec.Struct, frozen=True, kw_only=True):
    """One save of a model, unchecked but for its manifest.

    kind: "generation", "backup" or "snapshot". name: its folder's, unique among its kind.
    bytes: of its files; copies share the room of the generation they are of, where the disk can.
    smoothed_loss: the losses' sum of late when it was saved. is_best: of the generations made with
    the newest one's options it has the lowest smoothed loss (losses under other options tell
    nothing), so training keeps it.
    """

    kind: str
    name: str
    path: Path
    iteration: int
    saved_at: float
    bytes: int
    note: str = ""
    smoothed_loss: float | None = None
    options: dict[str, Any] = {}
    is_best: bool = False


class _ManifestFacts(msgspec.Struct):
    """What viewers read of a manifest; `engine.train.generations.Manifest` is the whole."""

    iteration: int
    options: dict[str, Any]
    saved_at: float = 0.0
    smoothed_loss: float | None = None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy of a generation says of itself besides the manifest."""

    made_at: float
    note: str = ""


class LastOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was last trained with, beside its saves: the run's own options (`of_run`), and
    those of the model that were changed since the save of iteration `changed_at`, if that is the
    newest."""

    of_run: dict[str, Any] = {}
    changed_at: int = 0
    changed: dict[str, Any] = {}


class PreviewPictures(msgspec.Struct, frozen=True, kw_only=True):
    """What the pictures of a preview history are made of: faces of `side_px` pixels, in rows and
    columns without gaps; one is made every `every` iterations, as it is now."""

    side_px: Annotated[int, msgspec.Meta(ge=1)]
    every: Annotated[int, msgspec.Meta(ge=1)]


def page_folder_name(page: str) -> str:
    """The name of a preview page in file names: "SAEHD masked" is saehd-masked."""
    return page.lower().replace(" ", "-")


def read_preview_pictures(history_folder: Path) -> PreviewPictures | None:
    """None if there is no preview history, or what it says of itself cannot be read."""
    try:
        return msgspec.json.decode(
            _start_of(history_folder / PREVIEW_PICTURES), type=PreviewPictures
        )
    except (OSError, msgspec.DecodeError):
        return None


def list_preview_pictures(model_folder: Path) -> dict[str, list[tuple[int, Path]]]:
    """The pictures of the preview history: by page, (iteration, path) in order."""
    found = {}
    for folder in sorted(_visible_folders(model_folder / PREVIEW_HISTORY)):
        names = [path for path in folder.glob("*.jpg") if path.stem.isdecimal()]
        found[folder.name] = sorted((int(path.stem), path) for path in names)
    return found


def list_saves(model_folder: Path) -> list[SaveFact]:
    """All saves whose manifests can be read: generations, backups, snapshots, newest save first."""
    found = [
        fact
        for folder, kind in _KINDS.items()
        for path in _visible_folders(model_folder / folder)
        if (fact := _save_fact(kind, path)) is not None
    ]
    found.sort(key=lambda save: (save.kind == "generation", save.saved_at), reverse=True)
    best = _best([save for save in found if save.kind == "generation"])
    return [msgspec.structs.replace(save, is_best=save is best) for save in found]


def find_save(model_folder: Path, wanted: str) -> SaveFact:
    """The save that `wanted` names: a backup's or snapshot's name, a generation's iteration, or
    KIND/NAME. Raises `InputError` naming those that there are if it is none or more than one."""
    saves = list_saves(model_folder)
    named = [save for save in saves if wanted in (save.name, f"{save.kind}/{save.name}")]
    if not named and wanted.isdecimal():
        named = [s for s in saves if s.kind == "generation" and s.iteration == int(wanted)]
    if len(named) == 1:
        return named[0]
    known = ", ".join(f"{save.kind}/{save.name}" for save in saves) or "none"
    what = f"{len(named)} saves are" if named else "no save is"
    problem = f"{what} named {wanted!r} in {model_folder}" if wanted else "no save was chosen"
    raise InputError(problem, f"choose one of: {known}", code="no-save")


def newest_generation(model_folder: Path) -> Path | None:
    """The folder of the newest save, unchecked; None if there is none."""
    return next(reversed(_generation_folders(model_folder)), None)


def net_names(model_folder: Path) -> tuple[str, ...]:
    """Which nets the newest save has, by the names of its files; () without a save."""
    newest = newest_generation(model_folder)
    stems = sorted(path.stem for path in newest.glob("*.safetensors")) if newest else []
    return tuple(stem for stem in stems if not stem.endswith(OPTIMIZER_ENDING))


def saved_options(model_folder: Path) -> dict[str, Any]:
    """What the model was last trained with: its own options and those of its run that are kept, as
    far as they are known; {} for a model without a save that can be read. (Which are damaged says
    the engine, which passes them over, too.)"""
    newest_first = reversed(_generation_folders(model_folder))
    facts = (_save_fact("generation", path) for path in newest_first)
    newest = next((fact for fact in facts if fact is not None), None)
    if newest is None:
        return {}
    last = read_last_options(model_folder)
    since = last.changed if last.changed_at == newest.iteration else {}
    return {**last.of_run, **newest.options, **since}


def read_last_options(model_folder: Path) -> LastOptions:
    """None of them if the file is not there, or is none: a model does not need it."""
    try:
        return msgspec.json.decode(_start_of(model_folder / LAST_OPTIONS), type=LastOptions)
    except (OSError, msgspec.DecodeError):
        return LastOptions()


def _generation_folders(model_folder: Path) -> list[Path]:
    """Oldest first, unchecked."""
    found = _visible_folders(model_folder / GENERATIONS)
    return sorted((p for p in found if p.name.isdecimal()), key=lambda path: int(path.name))


def _visible_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir()]


def _save_fact(kind: str, path: Path) -> SaveFact | None:
    """None for a folder that is no save: of another name, or whose manifest cannot be read."""
    if kind == "generation" and not path.name.isdecimal():
        return None
    try:
        manifest = msgspec.json.decode(_start_of(path / MANIFEST), type=_ManifestFacts)
        size = sum(file.stat().st_size for file in path.iterdir())
    except (OSError, msgspec.DecodeError):
        return None
    return SaveFact(
        kind=kind,
        name=path.name,
        path=path,
        iteration=manifest.iteration,
        saved_at=manifest.saved_at,
        bytes=size,
        note=_note(path),
        smoothed_loss=manifest.smoothed_loss,
        options=manifest.options,
    )


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_MANIFEST_BYTES)


def _note(path: Path) -> str:
    try:
        return msgspec.json.decode(_start_of(path / ABOUT), type=About).note
    except (OSError, msgspec.DecodeError):
        return ""  # a generation, or a folder that somebody copied by hand


def _best(generations: Sequence[SaveFact]) -> SaveFact | None:
    if not generations:
        return None
    newest = max(generations, key=lambda save: save.iteration)
    rated = [
        (save.smoothed_loss, save)
        for save in generations
        if save.smoothed_loss is not None and save.options == newest.options
    ]
    return min(rated, key=lambda pair: pair[0], default=(None, None))[1]
