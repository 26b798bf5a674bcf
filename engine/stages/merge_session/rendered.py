"""Which frames lie in `merged` as they would be rendered now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from engine.protocol.errors import InputError
from engine.stages.merge.ledger import Ledger
from engine.stages.merge.plan import FrameJob, Origin, RenderJob, file_stamp
from engine.stages.merge.render import Rendering
from engine.stages.merge_session.prepared import Settings

SettingsOf = Callable[[int], Settings]
KeyOf = Callable[[RenderJob], str]
OriginOf = Callable[[RenderJob], Origin]


class RenderedFrames:
    """The settings by which each frame's files were made, where that is known.

    version: another one after every change.
    """

    def __init__(
        self, frames: Sequence[FrameJob], ledger: Ledger, key_of: KeyOf, origin_of: OriginOf
    ) -> None:
        self._frames = frames
        self._numbers = {frame.stem: number for number, frame in enumerate(frames)}
        self._ledger = ledger
        self._key_of = key_of
        self._origin_of = origin_of
        self._settings: list[Settings | None] = [None] * len(frames)
        self._stamps: list[tuple[int, int] | None] = [None] * len(frames)
        self.version = 0

    def job(self, number: int, settings: Settings) -> RenderJob:
        """How that frame is rendered by these settings."""
        return RenderJob(self._frames[number], settings.looks, settings.square_px)

    def number(self, job: RenderJob) -> int:
        """Which frame that is."""
        return self._numbers[job.stem]

    def keys(self, settings_of: SettingsOf) -> dict[str, str]:
        """Stem -> what the frame would be made of now, for frames that can be rendered."""
        keys: dict[str, str] = {}
        for number, frame in enumerate(self._frames):
            with suppress(InputError):  # told when the frame is shown or rendered
                keys[frame.stem] = self._key_of(self.job(number, settings_of(number)))
        return keys

    def know(self, stems: Collection[str], settings_of: SettingsOf) -> None:
        """The files of these frames were found to be by the settings that they have now."""
        for stem in stems:
            number = self._numbers[stem]
            self._is_rendered(number, settings_of(number))
        self.version += 1

    def begin(self, numbers: Sequence[int]) -> None:
        """These frames are about to be rendered: until they are, nothing is known of their files,
        also after a kill. Raises `InputError` if the ledger cannot be written."""
        self._ledger.claim([self._frames[number].stem for number in numbers])
        for number in numbers:
            self._settings[number] = None
        self.version += 1

    def add(self, rendering: Rendering) -> None:
        """A frame was rendered. Raises `InputError` if the ledger cannot be written."""
        job = rendering.job
        self._ledger.add(rendering.line(self._key_of(job), self._origin_of(job)))
        self._is_rendered(self.number(job), Settings(job.looks, job.square_px))
        self.version += 1

    def _is_rendered(self, number: int, settings: Settings) -> None:
        self._settings[number] = settings
        self._stamps[number] = file_stamp(self._frames[number].path)

    def forget_replaced(self, numbers: Iterable[int]) -> None:
        """Nothing is known any more of those of these frames whose pictures were replaced since
        they were rendered."""
        for number in numbers:
            is_known = self._settings[number] is not None
            if is_known and self._stamps[number] != file_stamp(self._frames[number].path):
                self._settings[number] = None
                self.version += 1

    def is_done(self, number: int, settings: Settings) -> bool:
        """Whether the frame's files are by these settings."""
        return self._settings[number] == settings

    def runs(self, settings_of: SettingsOf) -> tuple[int, ...]:
        """As `MergeState.done`, for the settings that frames have now."""
        done = (self.is_done(number, settings_of(number)) for number in range(len(self._frames)))
        runs = [(is_done, sum(1 for _ in group)) for is_done, group in groupby(done)]
        lengths = tuple(length for _, length in runs)
        return (0, *lengths) if runs and runs[0][0] else lengths

    def missing(self, settings_of: SettingsOf, first: int) -> Iterator[int]:
        """Frames that are to be rendered, from `first` on and then those before it."""
        count = len(self._frames)
        self.forget_replaced(range(count))
        for number in (*range(first, count), *range(first)):
            if not self.is_done(number, settings_of(number)):
                yield number
