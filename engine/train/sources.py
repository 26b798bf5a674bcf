"""Where a training run gets its batches from: the faces of both sides, and the crops kept of them.

What a model trains on may change in the middle of a run; then the stream is closed and another is
opened, which goes on at the sample where the first stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.train.batches import BatchStream
from engine.train.crops import CropCache, CropKind
from engine.train.samples import Face, Sampling, SideSamples


class Sources:
    """Opens streams of batches, one after the other.

    limit_bytes: for crops that are kept. warn: is told (what, remedy) of faces that are skipped;
    called from the sample threads. threads: how many make samples.
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
    ) -> None:
        self.faces = {"src": src_faces, "dst": dst_faces}
        self.seed = seed
        self.limit_bytes = limit_bytes
        self.warn = warn
        self.threads = threads
        self._cache: tuple[CropKind, CropCache] | None = None

    def open(self, sampling: Sampling, first: int) -> BatchStream:
        """Batches from sample `first` of both sides on. Close the stream before (its context) the
        next is opened. Crops are kept from one to the next if both want the same kind."""
        cache = self._crops(sampling.kind)
        src, dst = (self._side(side, sampling, cache) for side in ("src", "dst"))
        return BatchStream(src, dst, sampling.batch_size, first=first, threads=self.threads)

    def _crops(self, kind: CropKind) -> CropCache:
        if self._cache is None or self._cache[0] != kind:
            self._cache = (kind, CropCache(self.limit_bytes))
        return self._cache[1]

    def _side(self, side: str, sampling: Sampling, cache: CropCache) -> SideSamples:
        return SideSamples(
            side, self.faces[side], sampling, seed=self.seed, cache=cache, warn=self.warn
        )
