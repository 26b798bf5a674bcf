"""Films written to files or folders beside their places."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from engine.media.bounded_pool import BoundedPool, pool_threads
from engine.media.images import ImageU8, write_image
from engine.media.read_ahead import images_ahead
from engine.media.timing import Timing
from engine.media.video_write import Encoding, VideoWriter
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.stages.video_render.films import Film
from engine.stages.video_render.signs import with_signs


@dataclass(frozen=True)
class Showing:
    """When and how frames are shown. start_s: the first one, counted from the sound's start."""

    timing: Timing
    sample_aspect: Fraction
    start_s: Fraction


@dataclass
class Progress:
    """Frames written, of those of all films."""

    context: StageContext
    total: int
    done: int = 0

    def frame_of(self, film: Film) -> None:
        """One more is written. Raises `Stopped` if the user asked for it."""
        self.done += 1
        self.context.progress(self.done, self.total, note=film.target.name)
        self.context.check_stop()


def write_film(film: Film, part: Path, showing: Showing, progress: Progress) -> None:
    """Write the film to `part`. Raises `InputError` for pictures that cannot be read and for a full
    disk, `StageError` when ffmpeg fails."""
    if film.encoding is None:
        _write_folder(film, part, progress)
    else:
        _write_video(film, part, showing, film.encoding, progress)


def _write_folder(film: Film, part: Path, progress: Progress) -> None:
    make_folder(part)
    with BoundedPool(pool_threads()) as pool, closing(_pictures(film)) as pictures:
        for stem, picture in zip(_stems(film), pictures, strict=True):
            pool.submit(partial(_write_png, part / f"{stem}.png", picture))
            progress.frame_of(film)


def _stems(film: Film) -> list[str]:
    """The pictures' names; an end card's go on counting where the last one ends in a number."""
    stems = [path.stem for path in film.images]
    name = stems[-1].rstrip("0123456789")
    digits = stems[-1][len(name) :]
    for number in range(1, film.card_frames + 1):
        behind = str(int(digits) + number).zfill(len(digits)) if digits else f"_end{number:04d}"
        stems.append(name + behind)
    return stems


def _write_png(path: Path, picture: ImageU8) -> None:
    write_image(path, picture)


def _write_video(
    film: Film, part: Path, showing: Showing, encoding: Encoding, progress: Progress
) -> None:
    writer = VideoWriter(
        part,
        width_px=film.size_px[0],
        height_px=film.size_px[1],
        timing=showing.timing,
        encoding=encoding,
        sample_aspect=showing.sample_aspect,
        start_s=showing.start_s if film.sound else Fraction(0),
        sound=film.sound,
    )
    with writer, closing(_pictures(film)) as pictures:
        for picture in pictures:
            writer.write(picture)
            progress.frame_of(film)
        writer.finish(progress.context.check_stop)


def _pictures(film: Film) -> Generator[ImageU8]:
    """All frames, (h, w, 3) BGR, or (h, w, 4) BGRA where the film has masks."""
    with closing(_merged(film)) as merged:
        for picture in merged:
            yield with_signs(picture, film.signs)
    if film.card is not None:
        opaque = np.full((*film.card.shape[:2], 1), 255, np.uint8)
        card = np.dstack((film.card, opaque)) if film.masks else film.card
        for _ in range(film.card_frames):
            yield card


def _merged(film: Film) -> Generator[ImageU8]:
    threads = pool_threads()
    with (
        closing(images_ahead(film.images, threads=threads)) as images,
        closing(images_ahead(film.masks, threads=threads)) as masks,
    ):
        if not film.masks:
            yield from images
            return
        for image, mask in zip(images, masks, strict=True):
            yield np.dstack((image, mask[..., :1]))
