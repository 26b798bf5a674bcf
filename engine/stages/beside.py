"""Pictures made of a folder's pictures in a folder beside it, and put in their place when asked.

Nothing of the source folder changes while pictures are made; a stopped or killed run goes on with
those that are missing. Putting them in place goes picture by picture: the original gets a second
name in the workspace's trash, then the new one takes its name in one step, so every name always
leads to a whole picture. What an interrupted run was doing is in a small file of the stage state.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import disk_error, move, replacing, sweep_parts, write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.survey import stage_state_of
from engine.protocol.workspace import Workspace, list_images, make_folder

NAMED_AT_MOST = 20
MOST_WORKERS = 16

Make = Callable[[Path], bytes | None]
Pair = tuple[Path, Path]  # a picture and what is made of it


@dataclass
class Tally:
    """What came of the pictures. kept: made by an earlier run. skipped: nothing was to be made of
    them. problems: "name: reason" of those that cannot be used."""

    made: int = 0
    kept: int = 0
    skipped: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Beside:
    """The folder `made` beside `source`. label: of the state file and of the trash's folders, such
    as `faceset-resize-src`. settings: what the pictures are made with, as JSON values."""

    context: StageContext
    label: str
    source: Path
    made: Path
    settings: Mapping[str, Any]

    def __post_init__(self) -> None:
        state = stage_state_of(self.context.workspace, self.label)
        self._is_ours = state.get("settings") == dict(self.settings)
        self._earlier = state.get("settings")
        self._trash_name = _trash_name(state)

    @property
    def is_half_in_place(self) -> bool:
        """An earlier run was interrupted while it put the pictures in place."""
        return self._trash_name is not None

    def prepare(self, *, fresh: bool = False) -> None:
        """Make the folder ready; pictures made with other settings (or all, when `fresh`) go to
        the trash.

        Raises `ConfirmationNeeded` if there are such and the user has not confirmed, `InputError`
        if pictures of other settings are half in place.
        """
        if self.is_half_in_place and self._is_ours:
            return
        if self.is_half_in_place:
            raise InputError(
                f"the last run of this stage was interrupted while it put {self.made.name} in the"
                f" place of {self.source.name}",
                f"run it again with the same options{self._earlier_options(': ')} to complete that,"
                " then with these",
                code="half-in-place",
            )
        if list_images(self.made) and (fresh or not self._is_ours):
            self._discard()
        make_folder(self.made)
        sweep_parts(self.made)
        self._remember(None)

    def done(self, pairs: Iterable[Pair]) -> set[Path]:
        """Those of the sources whose picture is there and was made of what they are now."""
        return {source for source, target in pairs if _is_up_to_date(source, target)}

    def tell_left_over(self, pairs: Iterable[Pair]) -> None:
        """Warn of pictures in the folder that were made of what is gone, or has another name now:
        whoever takes the folder for the set would have it back."""
        wanted = {target.name for _, target in pairs}
        left = [path.name for path in list_images(self.made) if path.name not in wanted]
        if left:
            self.context.warn(
                f"{len(left)} pictures in {self.made} belong to nothing in {self.source.name} now,"
                f" the first: {left[0]}",
                "move them away, or make all afresh (--fresh with --yes)",
            )

    def put_in_place(self, unit: str) -> int:
        """Let every picture made take the place of the one it was made of. Returns how many did.

        May be interrupted at any moment: the next run goes on with the rest.
        """
        workspace = self.context.workspace
        trash = (
            workspace.trash / self._trash_name
            if self._trash_name
            else workspace.new_trash_folder(self.label)
        )
        self._remember(trash.name)
        for folder in (self.source, trash):
            sweep_parts(folder)
        waiting = list_images(self.made)
        swapped = 0
        for picture in waiting:
            self.context.check_stop()
            original = self.source / picture.name
            kept = trash / original.relative_to(workspace.root)
            if not _is_up_to_date(original, picture, has_second_name=kept.exists()):
                continue
            if filecmp.cmp(picture, original, shallow=False):
                picture.unlink()  # nothing was to be changed
            else:
                _swap(picture, original, kept)
                swapped += 1
            self.context.progress(swapped, len(waiting), unit=unit, note="putting in place")
        self._clear_away()
        if swapped:
            self.context.note(f"the originals are in {trash}")
        return swapped

    def _discard(self) -> None:
        if not self.context.confirmed:
            raise self._earlier_pictures_are_there()
        trash = self.context.workspace.move_to_trash([self.made], self.label)
        self.context.note(f"earlier pictures moved to {trash}")

    def _earlier_pictures_are_there(self) -> ConfirmationNeeded:
        confirm = "confirm (--yes) to move them to the workspace's trash, or "
        if self._is_ours:
            what = f"{self.made} holds pictures of an earlier run, and all are to be made afresh"
            return ConfirmationNeeded(what, f"{confirm}leave out --fresh to go on with them")
        if self._earlier is None:
            what = f"{self.made} holds pictures, and nothing is known of how they were made"
            return ConfirmationNeeded(what, f"{confirm}move them away")
        what = f"{self.made} holds pictures made with other options{self._earlier_options(': ')}"
        return ConfirmationNeeded(what, f"{confirm}take those options to go on with them")

    def _earlier_options(self, lead: str) -> str:
        """How the user would give the options of the earlier run, after `lead`; "" if none of its
        settings is an option."""
        earlier = self._earlier if isinstance(self._earlier, dict) else {}
        given = [
            f"--{name.replace('_', '-')} {_as_given(value)}"
            for name, value in earlier.items()
            if name in self.context.options
        ]
        return f"{lead}{' '.join(given)}" if given else ""

    def _clear_away(self) -> None:
        """What is left in the folder was made of pictures that are gone, or others by now."""
        left = list_images(self.made)
        if left:
            trash = self.context.workspace.move_to_trash(left, self.label)
            self.context.warn(
                f"{len(left)} pictures were made of others than {self.source} holds now",
                f"look at them in {trash}",
            )
        if self.made.is_dir() and not any(self.made.iterdir()):
            self.made.rmdir()
        _state_file(self.context.workspace, self.label).unlink()
        self._trash_name = None

    def _remember(self, trash_name: str | None) -> None:
        self._trash_name = trash_name
        path = _state_file(self.context.workspace, self.label)
        make_folder(path.parent)
        state = {"settings": dict(self.settings), "trash": trash_name}
        write_atomically(path, msgspec.json.encode(state))


def make_all(
    beside: Beside, pairs: Sequence[Pair], make: Make, *, processes: int, unit: str = "faces"
) -> Tally:
    """Make the pictures that are missing: `make` gives a picture's bytes, None to skip it, or
    raises `InputError` for one that cannot be used, which is told and counted.

    Raises `Stopped` with all finished pictures kept, `InputError` when the disk is full or no
    picture can be used.
    """
    context = beside.context
    finished = beside.done(pairs)
    todo = [pair for pair in pairs if pair[0] not in finished]
    tally = Tally(kept=len(finished))
    context.progress(len(finished), len(pairs), unit=unit, skipped=len(finished))
    outcomes = context.map_in_processes(partial(_make_one, make), todo, processes=processes)
    for number, ((source, _), outcome) in enumerate(zip(todo, outcomes, strict=True), start=1):
        if isinstance(outcome, _Unusable):
            _tell(context, tally, source, outcome)
        else:
            tally.made += outcome
            tally.skipped += not outcome
        context.progress(len(finished) + number, len(pairs), unit=unit, skipped=len(finished))
    if pairs and len(tally.problems) == len(pairs):
        raise InputError(
            f"none of the {len(pairs)} {unit} can be used; the first: {tally.problems[0]}",
            "extract them again",
            code="bad-picture",
        )
    return tally


def worker_count(context: StageContext) -> int:
    """How many processes the option `workers` asks for."""
    wanted: str = context.options["workers"]
    return int(wanted) if wanted != "auto" else min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def named_after(sources: Iterable[Path], folder: Path, name_of: Callable[[str], str]) -> list[Pair]:
    """Each picture with its place in `folder`: `name_of` its stem, or of its whole name where an
    earlier picture has the same stem."""
    taken: set[str] = set()
    pairs = []
    for source in sources:
        name = name_of(source.name if source.stem in taken else source.stem)
        taken.add(source.stem)
        pairs.append((source, folder / name))
    return pairs


@dataclass(frozen=True)
class _Unusable:
    """What is wrong with a picture, and what to do about it."""

    reason: str
    remedy: str


def _make_one(make: Make, pair: Pair) -> bool | _Unusable:
    """Whether a picture was made, or why the source cannot be used."""
    source, target = pair
    try:
        data = make(source)
    except InputError as error:
        return _Unusable(error.message, error.remedy)
    if data is None:
        target.unlink(missing_ok=True)  # of an earlier run, when there was something to make
        return False
    write_atomically(target, data, durable=False)
    return True


def _tell(context: StageContext, tally: Tally, source: Path, unusable: _Unusable) -> None:
    tally.problems.append(f"{source.name}: {unusable.reason}")
    if len(tally.problems) <= NAMED_AT_MOST:
        context.warn(f"left out: {tally.problems[-1]}", unusable.remedy)


def _as_given(value: object) -> object:
    return ("no", "yes")[value] if isinstance(value, bool) else value


def _is_up_to_date(source: Path, target: Path, *, has_second_name: bool = False) -> bool:
    """Whether `target` is there and made of what `source` is now: neither did that change since,
    nor did another picture get its name, as sorting gives them.

    A new name of a file counts as a change of its status. So does a second one, which is given
    while the picture is put in place.
    """
    try:
        made_ns, status = target.stat().st_mtime_ns, source.stat()
        named_ns = 0 if has_second_name else max(status.st_ctime_ns, source.lstat().st_ctime_ns)
    except OSError:
        return False  # there is none, or there can be none of that name: told when it is written
    return made_ns >= max(status.st_mtime_ns, named_ns)


def _swap(picture: Path, original: Path, kept: Path) -> None:
    """Give `picture` the name of `original`, which stays as `kept`. Calling it again after an
    interruption completes it: as long as `picture` exists, `original` is the original."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            _give_second_name(original, kept)
        with picture.open("rb") as file:
            os.fsync(file.fileno())
        os.utime(picture)  # as of now: what other stages made of the original is out of date
        move(picture, original)
    except OSError as error:
        raise disk_error(error, original) from error


def _give_second_name(original: Path, kept: Path) -> None:
    try:
        kept.hardlink_to(original)
    except OSError:  # another disk, or one without hard links: a copy serves as well
        with replacing(kept) as beside:
            shutil.copy2(original, beside)


def _state_file(workspace: Workspace, label: str) -> Path:
    return workspace.stage_state / f"{label}.json"


def _trash_name(state: Mapping[str, Any]) -> str | None:
    name = state.get("trash")
    return name if isinstance(name, str) and name and name == Path(name).name else None
