"""The preview history: pictures of the same faces as the model learns.

    model/NAME_CLASS/preview_history/
        pictures.json           side of a face, and iterations between pictures as they are now
        saehd/00001230.jpg      by page and iteration

Pictures are encoded and written by a thread. A run of a million iterations keeps as many as
wanted, evenly spread: when there are too many, every second one goes and new ones come half as
often.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.protocol.files import sweep_parts, write_atomically
from engine.protocol.history import LossPoint
from engine.protocol.model_files import (
    PREVIEW_HISTORY,
    PREVIEW_PICTURES,
    PreviewPictures,
    list_preview_pictures,
    page_folder_name,
    read_preview_pictures,
)
from engine.protocol.workspace import make_folder
from engine.train.companions import Companion, Training

JPEG_QUALITY = 90
# A disk that is slower than this many sets of pictures loses some, rather than stop training.
MOST_WAITING = 4


class PreviewHistory(Companion):
    """Writes the preview pages every so many iterations while `write_preview_history` is on.

    side_px: of the faces on the pages; at first DFL's 10 * max(1, side_px // 64) iterations lie
    between two pictures.
    """

    def __init__(self, model_folder: Path, side_px: int) -> None:
        self._folder = model_folder / PREVIEW_HISTORY
        self._at_first = PreviewPictures(side_px=side_px, every=10 * max(1, side_px // 64))
        self._pictures = read_preview_pictures(self._folder) or self._at_first
        self._pages: dict[str, list[int]] = {}
        self._writing: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="preview-history")

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(wait=True)

    def stepped(self, training: Training, point: LossPoint) -> None:
        """See `Companion.stepped`. Raises `InputError` if a picture could not be written."""
        options = training.options
        if options["write_preview_history"] and point.iteration % self._pictures.every == 0:
            self._hear()
            if len(self._writing) < MOST_WAITING:
                pages = training.preview_pages(options["history_first"])
                most = options["history_pictures"]
                self._writing.append(self._pool.submit(self._write, pages, point.iteration, most))

    def restored(self, training: Training, carried: Mapping[str, Any]) -> None:
        """See `Companion.restored`. Pictures of what is undone go to the trash."""
        self._put_away(training, after=training.iteration)

    def restarted(self, training: Training) -> None:
        """See `Companion.restarted`. Pictures of the pretraining go to the trash: those to come
        have the same numbers, and would be mixed with them."""
        self._put_away(training, after=0)
        self._pictures = self._at_first

    def _put_away(self, training: Training, *, after: int) -> None:
        wait(self._writing)
        pictures = [
            path
            for page in list_preview_pictures(training.model_folder).values()
            for iteration, path in page
            if iteration > after
        ]
        trash = training.context.workspace.move_to_trash(pictures, "preview-history")
        self._pages.clear()  # to be listed anew
        if trash is not None:
            training.context.note(f"{len(pictures)} pictures of the preview history are in {trash}")

    def _hear(self) -> None:
        while self._writing and self._writing[0].done():
            self._writing.popleft().result()

    def _write(self, pages: dict[str, NDArray[np.uint8]], iteration: int, most: int) -> None:
        for page, image_bgr_u8 in pages.items():
            folder = self._folder / page_folder_name(page)
            iterations = self._iterations_of(folder)
            encoded = cv2.imencode(".jpg", image_bgr_u8, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
            path = _picture(folder, iteration)
            write_atomically(path, encoded[1].tobytes(), durable=False)
            if iteration not in iterations:
                iterations.append(iteration)
        while max(map(len, self._pages.values())) > most:
            self._thin()

    def _iterations_of(self, folder: Path) -> list[int]:
        """Of the page's pictures; its folder is made if need be."""
        if folder.name not in self._pages:
            make_folder(folder)
            sweep_parts(folder)
            names = [path.stem for path in folder.glob("*.jpg")]
            self._pages[folder.name] = [int(name) for name in names if name.isdecimal()]
            self._note_pictures()
        return self._pages[folder.name]

    def _thin(self) -> None:
        """Half as many from now on, and of those that there are."""
        self._pictures = msgspec.structs.replace(self._pictures, every=2 * self._pictures.every)
        self._note_pictures()
        for page, iterations in self._pages.items():
            for iteration in iterations:
                if iteration % self._pictures.every:
                    _picture(self._folder / page, iteration).unlink(missing_ok=True)
            self._pages[page] = [i for i in iterations if i % self._pictures.every == 0]

    def _note_pictures(self) -> None:
        write_atomically(
            self._folder / PREVIEW_PICTURES, msgspec.json.encode(self._pictures), durable=False
        )


def _picture(folder: Path, iteration: int) -> Path:
    return folder / f"{iteration:08d}.jpg"
