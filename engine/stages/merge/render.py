"""Rendering many frames: threads read, compose and write, the calling thread predicts in batches.

Threads and not processes: OpenCV, NumPy and the PNG coder let go of the interpreter's lock, and
frames need not be copied between processes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field

import psutil

from engine.media.images import ImageU8, read_image_bgr_u8, write_image
from engine.merge.compose import compose_frame
from engine.merge.face_nets import FaceNets
from engine.merge.faces import (
    FaceCrop,
    MergeFace,
    PredictedFace,
    crop_faces,
    predict_faces,
    with_wanted,
)
from engine.protocol.errors import InputError
from engine.stages.merge.ledger import Rendered
from engine.stages.merge.outputs import Outputs
from engine.stages.merge.plan import Origin, RenderJob

# Faces that go through the model at once: more gain little on a GPU, and hold up the other threads.
BATCH_FACES = 8


MOST_THREADS = 32
# What a thread holds at most per pixel of a frame: five frames in 8 bits, and ten pictures of
# floats for one that is composed as a whole.
BYTES_PER_PIXEL = 5 * 3 + 10 * 12
PIXELS_OF_4K = 3840 * 2160


def thread_count(wanted: str, jobs: Sequence[RenderJob]) -> int:
    """The number asked for; for "auto" one per core, fewer if half of the free memory is not enough
    for frames of the first one's size."""
    if wanted != "auto":
        return int(wanted)
    free_bytes = int(psutil.virtual_memory().available)
    by_memory = free_bytes // 2 // (_pixels(jobs) * BYTES_PER_PIXEL)
    return max(1, min(len(os.sched_getaffinity(0)), MOST_THREADS, by_memory))


def _pixels(jobs: Sequence[RenderJob]) -> int:
    """Pixels of the first frame that can be read."""
    for job in jobs:
        try:
            frame = read_image_bgr_u8(job.frame.path)
        except InputError:
            continue  # named when its turn comes
        return frame[..., 0].size
    return PIXELS_OF_4K


@dataclass(frozen=True)
class Rendering:
    """A frame that is on disk: the sizes of its files in bytes."""

    job: RenderJob
    image_bytes: int
    mask_bytes: int

    def line(self, key: str, origin: Origin) -> Rendered:
        """What the ledger is told of it; for `key` and `origin` see `plan`."""
        sizes = self.image_bytes, self.mask_bytes
        return Rendered(self.job.stem, key, *sizes, **asdict(origin))


@dataclass(frozen=True)
class Unreadable:
    """A frame that could not be read, and why."""

    job: RenderJob
    error: InputError


@dataclass(frozen=True)
class _Loaded:
    job: RenderJob
    frame_bgr_u8: ImageU8
    crops: Sequence[FaceCrop]


@dataclass
class Renderer:
    """Renders frames with one model into one place. Bounded memory: at most about four frames per
    thread and one batch are held."""

    nets: FaceNets
    outputs: Outputs
    threads: int
    _loading: deque[Future[_Loaded | Unreadable]] = field(default_factory=deque)
    _writing: set[Future[Rendering]] = field(default_factory=set)

    def render(self, jobs: Sequence[RenderJob]) -> Generator[Rendering | Unreadable]:
        """Render all; yields each frame when it is done with, in any order.

        Closing the generator lets frames that have begun finish, and yields no more. Raises
        `InputError` when a file cannot be written.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                yield from self._render(pool, iter(jobs))
            finally:
                for loading in self._loading:
                    loading.cancel()
                for writing in self._writing:
                    writing.cancel()

    def _render(
        self, pool: ThreadPoolExecutor, jobs: Iterator[RenderJob]
    ) -> Iterator[Rendering | Unreadable]:
        self._load_ahead(pool, jobs)
        while self._loading:
            batch, unreadable = self._next_batch(pool, jobs)
            yield from unreadable
            yield from self._written(at_most=2 * self.threads)
            self._finish(pool, batch)
        yield from self._written(at_most=0)

    def _load_ahead(self, pool: ThreadPoolExecutor, jobs: Iterator[RenderJob]) -> None:
        while len(self._loading) < 2 * self.threads:
            job = next(jobs, None)
            if job is None:
                return
            self._loading.append(pool.submit(self._load, job))

    def _next_batch(
        self, pool: ThreadPoolExecutor, jobs: Iterator[RenderJob]
    ) -> tuple[list[_Loaded], list[Unreadable]]:
        """The next frames, up to about `BATCH_FACES` faces. Does not wait for a full batch: what is
        read by now goes on, so that no thread runs dry."""
        batch: list[_Loaded] = []
        unreadable: list[Unreadable] = []
        faces = 0
        while self._loading and faces < BATCH_FACES and len(batch) < BATCH_FACES:
            if (batch or unreadable) and not self._loading[0].done():
                break
            loaded = self._loading.popleft().result()
            self._load_ahead(pool, jobs)
            if isinstance(loaded, Unreadable):
                unreadable.append(loaded)
            else:
                batch.append(loaded)
                faces += len(loaded.crops)
        return batch, unreadable

    def _load(self, job: RenderJob) -> _Loaded | Unreadable:
        try:
            frame_bgr_u8 = read_image_bgr_u8(job.frame.path)
        except InputError as error:
            return Unreadable(job, error)
        crops = crop_faces(frame_bgr_u8, job.frame.landmarks, self.nets.predictor)
        return _Loaded(job, frame_bgr_u8, crops)

    def _finish(self, pool: ThreadPoolExecutor, batch: Sequence[_Loaded]) -> None:
        """Predict all faces of the batch; composing and writing go to the threads."""
        crops = [crop for loaded in batch for crop in loaded.crops]
        factors = self.nets.morph_factors(
            look for loaded in batch for look in loaded.job.looks.faces
        )
        predictions = iter(predict_faces(crops, self.nets.predictor, factors))
        for loaded in batch:
            faces = self._faces(loaded, [next(predictions) for _ in loaded.crops])
            self._writing.add(pool.submit(self._compose_and_write, loaded, faces))

    def _faces(self, loaded: _Loaded, predictions: Sequence[PredictedFace]) -> list[MergeFace]:
        """The faces with what their looks want of the other nets."""
        return [
            MergeFace(crop, with_wanted(predicted, loaded.frame_bgr_u8, crop, look, self.nets))
            for crop, predicted, look in zip(
                loaded.crops, predictions, loaded.job.looks.faces, strict=True
            )
        ]

    def _compose_and_write(self, loaded: _Loaded, faces: Sequence[MergeFace]) -> Rendering:
        job = loaded.job
        composed = compose_frame(
            loaded.frame_bgr_u8, faces, job.looks, job.square_px, job.frame.motion
        )
        image_path, mask_path = self.outputs.paths(job.stem)
        return Rendering(
            job,
            image_bytes=write_image(image_path, composed.image_bgr_u8),
            mask_bytes=write_image(mask_path, composed.mask_u8),
        )

    def _written(self, at_most: int) -> Iterator[Rendering]:
        """Frames that are written by now; waits until no more than `at_most` are under way."""
        while True:
            done = {future for future in self._writing if future.done()}
            self._writing -= done
            for future in done:
                yield future.result()
            if len(self._writing) <= at_most:
                return
            wait(self._writing, return_when=FIRST_COMPLETED)
