"""Where XSeg's training gets its batches from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.media.levels import unit_floats
from engine.train.batches import WHOLE, Batch, BatchStream, SampleRates, Samples, Share
from engine.train.crops import CropCache, CropKind, make_crop
from engine.train.samples import Sampling
from engine.train.side_faces import Face, SideFaces

F32 = NDArray[np.float32]
MakeSamples = Callable[[Sampling, CropCache], Samples]


class XSegStream(BatchStream):
    """Batches of one set of samples; previews also show any faces of both sides.

    shown: those, by what the preview calls them.
    """

    def __init__(
        self,
        samples: Samples,
        shown: Mapping[str, SideFaces],
        *,
        first: int,
        threads: int,
        rates: SampleRates,
        share: Share,
    ) -> None:
        self._shown = shown
        super().__init__(
            samples,
            None,
            samples.sampling.batch_size,
            first=first,
            threads=threads,
            rates=rates,
            share=share,
        )

    def for_preview(self, first: int, count: int) -> Batch:
        """See `BatchStream.for_preview`."""
        batch = super().for_preview(first, count)
        shown = {
            name: np.stack([self._face(faces, number) for number in _spread(faces, first, count)])
            for name, faces in self._shown.items()
        }
        return replace(batch, shown=shown)

    def _face(self, faces: SideFaces, number: int) -> F32:
        def crop(face: Face) -> F32:
            kind = self.src.sampling.kind
            return unit_floats(make_crop(face.read_jpeg(), face.data, kind, face.name).image_bgr_u8)

        return faces.use(number, crop)


def _spread(faces: SideFaces, first: int, count: int) -> list[int]:
    """`count` faces that lie far apart: neighbours mostly look alike."""
    step = max(1, len(faces) // count)
    return [(first + number * step) % len(faces) for number in range(count)]


@dataclass
class XSegSources:
    """Opens streams of batches, one after the other (`engine.train.feed.Opener`).

    make: makes the samples of a sampling. shown: see `XSegStream`. limit_bytes: for crops that are
    kept. threads: how many make samples. share: of each batch, what is made here.
    """

    make: MakeSamples
    shown: Mapping[str, SideFaces]
    limit_bytes: int
    threads: int
    share: Share = WHOLE

    def __post_init__(self) -> None:
        self._rates = SampleRates()
        self._crops: tuple[CropKind, CropCache] | None = None

    def open(self, sampling: Sampling, first: int) -> BatchStream:
        """See `Opener.open`. Crops are kept from one stream to the next of the same kind."""
        if self._crops is None or self._crops[0] != sampling.kind:
            self._crops = (sampling.kind, CropCache(self.limit_bytes))
        return XSegStream(
            self.make(sampling, self._crops[1]),
            self.shown,
            first=first,
            threads=self.threads,
            rates=self._rates,
            share=self.share,
        )

    def release(self) -> None:
        """See `Opener.release`."""
        self._crops = None
