"""Faces of many frames from what is known of others, made in a thread of their own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.detect.detection import ImageBgrU8, PointsXY
from engine.detect.point_flow import PointFollower
from engine.faces.landmark_shapes import between
from engine.media.images import read_image_bgr_u8
from engine.media.shots import find_cuts
from engine.protocol.errors import FacewrightError, Stopped

# Frames that are made and not written yet.
AHEAD = 2


@dataclass(frozen=True)
class Filled:
    """A frame's face: landmarks (68, 2) in its pixels."""

    frame: int
    image_bgr_u8: ImageBgrU8
    points: PointsXY


@dataclass(frozen=True)
class Ended:
    """Why there are no more; "" if all are made."""

    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Known:
    """A frame whose face is known."""

    frame: int
    points: PointsXY


Told = Callable[[int], None]
Faces = Callable[[Told], Iterator[Filled | Ended]]


def faces_between(
    paths: Sequence[Path], first: Known, last: Known, wanted: Sequence[int], told: Told
) -> Iterator[Filled | Ended]:
    """Faces of the `wanted` frames on the way from `first` to `last`; none if a cut lies between.

    told: called while frames are looked at; may raise to end it."""
    cuts = find_cuts(paths[first.frame : last.frame + 1], told)
    if cuts:
        name = paths[first.frame + cuts[0]].name
        yield Ended(f"a shot begins at {name}", "keep a face on each side of it")
        return
    for frame in wanted:
        share = (frame - first.frame) / (last.frame - first.frame)
        points = between(first.points, last.points, share)
        yield Filled(frame, read_image_bgr_u8(paths[frame]), points)
    yield Ended()


def faces_after(
    paths: Sequence[Path], start: Known, wanted: range, told: Told
) -> Iterator[Filled | Ended]:
    """Faces of the `wanted` frames, which follow `start`, until the face is lost or the shot ends.

    told: as above."""
    image = read_image_bgr_u8(paths[start.frame])
    follower, shape = PointFollower(image, start.points), image.shape
    cuts = find_cuts(paths[start.frame : wanted.stop], told)
    end = start.frame + cuts[0] if cuts else wanted.stop
    for frame in range(wanted.start, end):
        image = read_image_bgr_u8(paths[frame])
        points = follower.follow(image) if image.shape == shape else None
        if points is None:
            yield Ended(f"the face was lost in {paths[frame].name}", "place it there and go on")
            return
        yield Filled(frame, image, points)
    yield Ended(f"a shot begins at {paths[end].name}" if cuts else "")


class Filling:
    """Makes faces ahead of who writes them, and wakes it. what: in a word, for viewers."""

    def __init__(self, what: str, faces: Faces, wake: Callable[[], None]) -> None:
        self.what = what
        self._wake = wake
        self._made: queue.Queue[Filled | Ended] = queue.Queue(AHEAD)
        self._ends = threading.Event()
        self._defect: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(faces,), name="fill", daemon=True)
        self._thread.start()

    def take(self) -> Filled | Ended | None:
        """The next one, if it is made. Raises what the thread died of."""
        if self._defect is not None:
            raise self._defect
        try:
            return self._made.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """End it, after the frame that it is at."""
        self._ends.set()
        while self._thread.is_alive():
            self.take()  # it may wait for room
            self._thread.join(0.05)

    def _work(self, faces: Faces) -> None:
        try:
            for made in faces(self._told):
                self._told(0)
                self._made.put(made)
                self._wake()
        except Stopped:
            return
        except FacewrightError as error:  # a frame that cannot be read
            self._made.put(Ended(error.message, error.remedy))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that takes faces
            self._defect = error
        self._wake()

    def _told(self, _: int) -> None:
        if self._ends.is_set():
            raise Stopped
