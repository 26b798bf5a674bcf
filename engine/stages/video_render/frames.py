"""Which pictures the result is made of: all of them, of one size, or a refusal that names what is
missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from engine.protocol.errors import InputError
from engine.protocol.workspace import list_images

_NAMED = 10  # so many names stand in a message


def chosen_frames(folder: Path, expected_stems: Sequence[str], span: range) -> list[Path]:
    """The folder's pictures of the frames `span`. Raises `InputError` naming what is missing.

    For all frames see `complete_frames`; for some of them only these have to be there."""
    if len(span) < len(expected_stems):
        images = list_images(folder)
        wanted = expected_stems[span.start : span.stop]
        _refuse_doubles(folder, images)
        by_stem = {path.stem: path for path in images}
        missing = [stem for stem in wanted if stem not in by_stem]
        if not missing:
            return [by_stem[stem] for stem in wanted]
        if len(images) != len(expected_stems):
            raise InputError(
                f"{folder} does not hold all {len(wanted)} frames; missing: {_names(missing)}",
                "run merge until they are there",
                code="frames-missing",
            )
    return complete_frames(folder, expected_stems)[span.start : span.stop]


def complete_frames(folder: Path, expected_stems: Sequence[str]) -> list[Path]:
    """The folder's pictures in the order of their names: one for each expected one, or the same
    number under other names. Raises `InputError` naming what is missing or too much.

    Other names are all other, or numbers without a gap: else a stray picture would stand in for a
    missing frame, and move all between them."""
    images = list_images(folder)
    _refuse_doubles(folder, images)
    stems = {path.stem for path in images}
    missing = [stem for stem in expected_stems if stem not in stems]
    surplus = sorted(stems - set(expected_stems))
    if len(images) == len(expected_stems):
        if not missing or len(missing) == len(expected_stems) or _without_gap(stems):
            return images
        raise InputError(
            f"{folder} holds, instead of {_names(missing)}, {_names(surplus)}",
            "move these away and run merge until it is complete",
            code="frames-missing",
        )
    raise InputError(
        f"{folder} holds {len(images)} pictures, the video has {len(expected_stems)} frames;"
        + (f" missing: {_names(missing)}" if missing else f" too much: {_names(surplus)}"),
        "run merge until it is complete" if missing else "move the pictures too much away",
        code="frames-missing" if missing else "frames-too-many",
    )


def _refuse_doubles(folder: Path, images: Iterable[Path]) -> None:
    doubles = [stem for stem, count in Counter(path.stem for path in images).items() if count > 1]
    if doubles:
        raise InputError(
            f"{folder} holds two pictures for {_names(doubles)} (of different formats)",
            "keep one of each and move the others away",
            code="double-frames",
        )


def _without_gap(stems: set[str]) -> bool:
    if not all(stem.isascii() and stem.isdigit() for stem in stems):
        return False
    numbers = {int(stem) for stem in stems}
    return max(numbers) - min(numbers) + 1 == len(numbers) == len(stems)


def expected_stems(frames_folder: Path, frames: int) -> list[str]:
    """Names, without suffix, of the video's frames: those extracted if their number is right, else
    as `video-extract` counts them."""
    extracted = list(dict.fromkeys(path.stem for path in list_images(frames_folder)))
    if len(extracted) == frames:
        return extracted
    return [f"{number:05d}" for number in range(1, frames + 1)]


def common_size_px(images: Iterable[Path], check_stop: Callable[[], None]) -> tuple[int, int]:
    """(width, height) of all pictures, from their headers. Raises `InputError` naming the first
    that differs or cannot be read."""
    size_px: tuple[int, int] | None = None
    for path in images:
        check_stop()
        own_px = _size_px(path)
        size_px = size_px or own_px
        if own_px != size_px:
            raise InputError(
                f"{path} is {own_px[0]}x{own_px[1]}, the pictures before it are"
                f" {size_px[0]}x{size_px[1]}",
                "merge this frame again",
                code="mixed-sizes",
            )
    if size_px is None:
        raise ValueError("no pictures")
    return size_px


def _size_px(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as header:
            return header.size
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(
            f"cannot read the picture {path}: {error}", "merge this frame again", code="bad-picture"
        ) from error


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
