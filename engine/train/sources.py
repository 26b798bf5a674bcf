"""Where a training run gets its batches from: the faces of both sides, and the crops kept of them.

What a model trains on may change in the middle of a run; then the stream is closed and another is
opened, which goes on at the sample where the first stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.faces.faceset import Faceset, open_faceset
from engine.protocol.errors import InputError
from engine.train.batches import WHOLE, BatchStream, SampleRates, Share
from engine.train.crops import CropCache, CropKind
from engine.train.samples import Sampling, SideSamples
from engine.train.side_faces import Face, SideFaces


def open_training_faces(path: Path, check_stop: Callable[[], None] = lambda: None) -> Faceset:
    """The faces of a folder or of a pack anywhere, such as those that a model is pretrained with.

    check_stop: called for each face; may raise to stop. Raises `InputError` if there is none.
    """
    faces = open_faceset(path, check_stop)
    if not len(faces):
        named = (
            f", for example {faces.skipped[0][0]}: {faces.skipped[0][1]}" if faces.skipped else ""
        )
        raise InputError(
            f"no usable faces in {path} ({len(faces.skipped)} pictures are none{named})",
            "name a folder of extracted faces, or a faceset.pak",
            code="no-faces",
        )
    return faces


class Sources:
    """Opens streams of batches, one after the other.

    src_faces, dst_faces: may be the same; crops are then kept once. limit_bytes: for crops that are
    kept. warn: is told (what, remedy) of faces that are skipped; called from the sample threads.
    threads: how many make samples. share: of each batch, what is made here. rates: of all streams
    together.
    """

    def __init__(
        self,
        src_faces: Sequence[Face],
        dst_faces: Sequence[Face],
        *,
        seed: int,
        limit_bytes: int,
        warn: Callable[[str, str], None],
        threads: int,
        share: Share = WHOLE,
    ) -> None:
        self.src = SideFaces("src", src_faces, warn)
        self.dst = SideFaces("dst", dst_faces, warn)
        self.seed = seed
        self.limit_bytes = limit_bytes
        self.threads = threads
        self.share = share
        self.rates = SampleRates()
        self._crops: tuple[CropKind, CropCache] | None = None

    def open(self, sampling: Sampling, first: int) -> BatchStream:
        """Batches from sample `first` of both sides on. Close the stream before (its context) the
        next is opened. Crops are kept from one to the next if both want the same kind."""
        cache = self._cache_for(sampling.kind)
        references = None if sampling.ct_mode == "none" else self.dst
        src = SideSamples(self.src, sampling, seed=self.seed, cache=cache, references=references)
        dst = SideSamples(self.dst, sampling, seed=self.seed, cache=cache)
        return BatchStream(
            src,
            dst,
            sampling.batch_size,
            first=first,
            threads=self.threads,
            rates=self.rates,
            share=self.share,
        )

    def release(self) -> None:
        """Drop the crops, when a run goes over to other faces: they take much memory."""
        self._crops = None

    def _cache_for(self, kind: CropKind) -> CropCache:
        if self._crops is None or self._crops[0] != kind:
            self._crops = (kind, CropCache(self.limit_bytes))
        return self._crops[1]
