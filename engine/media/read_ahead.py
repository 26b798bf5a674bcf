"""Pictures read ahead of their use by a few threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from engine.media.images import ImageU8, read_image_bgr_u8


def images_ahead(paths: Sequence[Path], *, threads: int) -> Generator[ImageU8]:
    """The pictures (h, w, 3) BGR of `paths` in order; about `threads` are held in memory. Raises
    `InputError` at the one that cannot be read. Close the iterator to stop early."""
    rest = iter(paths)
    waiting: deque[Future[ImageU8]] = deque()
    with ThreadPoolExecutor(threads) as executor:
        try:
            for path in rest:
                waiting.append(executor.submit(read_image_bgr_u8, path))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
