"""The stage `model-export`: a model of ours as files that DeepFaceLab opens.

All files are written to a folder beside, then put in place one by one, `data.dat` last: without it
there is no model for DeepFaceLab, so it never sees half of one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from engine.models.classes import model_spec
from engine.models.dfl_files.classes import dfl_class_of
from engine.models.dfl_files.option_values import values_for_dfl
from engine.models.dfl_files.origin import read_origin
from engine.models.dfl_files.reading import DATA_SUFFIX, DflModel
from engine.models.dfl_files.state import blank_state, write_state
from engine.models.dfl_files.writing import dfl_data, summary_text
from engine.nets.device import prepare_device
from engine.protocol.files import PART, disk_error, sync
from engine.protocol.history import HISTORY_NAME, read_history
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.stages.model_saves import model_folder
from engine.stages.outgoing_files import chosen_save, require_agreement
from engine.train.generations import Generation
from engine.train.save_folders import part_beside

_SUMMARY_SUFFIX = "summary.txt"


@dataclass(frozen=True)
class _Outgoing:
    """A save, and whose it is."""

    spec: ModelSpec
    model_folder: Path
    saved: Generation


def export_model(context: StageContext) -> None:
    """Write a save of a model in DeepFaceLab's layout.

    Raises `InputError` for a model or save that is not there or damaged, `ConfirmationNeeded` when
    DeepFaceLab's files of that name are there and the user did not agree to move them to the trash;
    nothing is changed then, nor when the disk is full.
    """
    spec = model_spec(context.options["model_class"])
    dfl_class = dfl_class_of(spec)
    folder = Path(context.options["to"] or context.workspace.models).absolute()
    target = DflModel(folder, context.options["dfl_name"] or context.options["model"], dfl_class)
    _require_agreement(context, target)
    own_folder = model_folder(context)
    outgoing = _Outgoing(spec, own_folder, chosen_save(context, own_folder))
    iteration = outgoing.saved.manifest.iteration
    context.note(f"exporting the save of iteration {iteration}")
    make_folder(folder)
    _sweep(target)
    beside = part_beside(folder / f"{target.prefix}export")
    try:
        make_folder(beside)
        _write_files(context, replace(target, folder=beside), outgoing)
        context.check_stop()
        _put_in_place(context, beside, target)
    except OSError as error:
        raise disk_error(error, folder) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    files = _present(target)
    context.result(
        iteration=iteration,
        files=len(files),
        bytes=sum(path.stat().st_size for path in files),
        folder=str(folder),
    )


def _require_agreement(context: StageContext, target: DflModel) -> None:
    present = _present(target)
    what = f"{len(present)} files of DeepFaceLab's model {target.title} are in {target.folder}"
    require_agreement(context, present, what, "another folder, or a name with --dfl-name")


def _present(target: DflModel) -> list[Path]:
    """What DeepFaceLab would load of a model of that name, and what tells of it."""
    if not target.folder.is_dir():
        return []
    nets = target.dfl_class.nets
    tensors = {target.path(file) for net in nets for file in (net.file, net.optimizer)}
    wanted = {target.data_path, _summary_path(target), *tensors}
    return sorted(path for path in target.folder.iterdir() if path in wanted)


def _summary_path(target: DflModel) -> Path:
    return target.folder / f"{target.prefix}{_SUMMARY_SUFFIX}"


def _write_files(context: StageContext, beside: DflModel, outgoing: _Outgoing) -> None:
    """Raises `OSError`."""
    _write_tensors(context, beside, outgoing)
    manifest = outgoing.saved.manifest
    origin = read_origin(outgoing.model_folder)
    options = values_for_dfl(beside.dfl_class, origin.options if origin else {}, manifest.options)
    summary = summary_text(beside.title, manifest.iteration, options)
    _summary_path(beside).write_text(summary, encoding="utf-8")
    losses = _losses(outgoing.model_folder, manifest.iteration)
    data = dfl_data(manifest.iteration, options, losses)
    beside.data_path.write_bytes(data)


def _write_tensors(context: StageContext, beside: DflModel, outgoing: _Outgoing) -> None:
    prepare_device("cpu", context.warn)
    saved = outgoing.saved
    options, seed = saved.manifest.options, saved.manifest.seed
    blank = blank_state(outgoing.spec, beside.dfl_class, options, saved.state, seed=seed)
    context.check_stop()
    write_state(beside, saved.state, blank)


def _losses(own_folder: Path, iteration: int) -> list[tuple[float, ...]]:
    """One row an iteration, up to that of the save."""
    points = read_history(own_folder / HISTORY_NAME)
    return [point.losses for point in points if point.iteration <= iteration]


def _put_in_place(context: StageContext, beside: Path, target: DflModel) -> None:
    """Raises `OSError`."""
    for path in beside.iterdir():
        sync(path)
    label = f"model-export-{target.prefix}dfl"
    trash = context.workspace.move_to_trash(_present(target), label)
    if trash:
        context.note(f"the files that were there are in {trash}")
    is_data = {path: path.name.endswith(DATA_SUFFIX) for path in beside.iterdir()}
    for path in sorted(is_data, key=is_data.__getitem__):
        path.rename(target.folder / path.name)
    sync(target.folder)


def _sweep(target: DflModel) -> None:
    """Remove what a killed run of this stage left."""
    for path in target.folder.glob(f".{target.prefix}export.*{PART}"):
        shutil.rmtree(path, ignore_errors=True)
