"""What the session writes to `merged`: the shown frame when it rests, and the rest when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from engine.media.images import write_image
from engine.merge.compose import ComposedFrame
from engine.stages.merge.outputs import Outputs
from engine.stages.merge.plan import RenderJob
from engine.stages.merge.render import Rendering, Unreadable
from engine.stages.merge_session.frame_store import Wake
from engine.stages.merge_session.prepared import Settings
from engine.stages.merge_session.rendered import RenderedFrames, SettingsOf
from engine.stages.merge_session.rest import Renderings, Rest

Render = Callable[[Sequence[RenderJob]], Renderings]


class Output:
    """Frames on their way to disk. Two threads write, never at the same time: a frame that the rest
    began by old settings must not come after the same frame by new ones.

    render: `Renderer.render`, of a new renderer each time.
    """

    def __init__(
        self, outputs: Outputs, rendered: RenderedFrames, render: Render, wake: Wake
    ) -> None:
        self.rendered = rendered
        self.rendered_count = 0
        self.unreadable: dict[int, Unreadable] = {}
        self._outputs = outputs
        self._render = render
        self._wake = wake
        self._rest = Rest(wake)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._writing: Future[Rendering] | None = None

    @property
    def is_writing(self) -> bool:
        """Whether anything is on its way to disk."""
        return self._rest.is_running or self._writing is not None

    def close(self) -> None:
        """Finish the frames that have begun, and no more. Call `collect` afterwards."""
        self._rest.close()
        self._writer.shutdown()

    def begin_rest(self, first: int, settings_of: SettingsOf) -> bool:
        """Render what is not rendered by the settings that frames have now, from `first` on and
        then those before it; whether there is anything. Only when nothing is being written."""
        missing = self.rendered.missing(settings_of, first)
        numbers = [number for number in missing if number not in self.unreadable]
        if numbers:
            jobs = [self.rendered.job(number, settings_of(number)) for number in numbers]
            self.rendered.begin(numbers)
            self._rest.start(self._render(jobs))
        return bool(numbers)

    def end_rest(self) -> None:
        """Let the frames that have begun be finished. Does not wait."""
        self._rest.stop()

    def write(self, number: int, settings: Settings, composed: ComposedFrame) -> None:
        """Begin to write a frame that was composed for showing, unless its files are by the same
        settings or anything else is being written."""
        self.rendered.forget_replaced([number])
        if self.is_writing or self.rendered.is_done(number, settings):
            return
        self.rendered.begin([number])
        job = self.rendered.job(number, settings)
        self._writing = self._writer.submit(self._written, job, composed)
        self._writing.add_done_callback(lambda _: self._wake())

    def picture(self, number: int, settings: Settings) -> Path:
        """The frame's file: the merged one if it is by these settings, else the frame itself."""
        frame = self.rendered.job(number, settings).frame
        is_done = self.rendered.is_done(number, settings)
        return self._outputs.paths(frame.stem)[0] if is_done else frame.path

    def collect(self) -> list[int]:
        """Note what was finished since the last call, and return its numbers. Raises `InputError`
        when files cannot be written."""
        found: list[int] = []
        for outcome in (*self._rest.outcomes(), *self._written_one()):
            number = self.rendered.number(outcome.job)
            if isinstance(outcome, Unreadable):
                self.unreadable[number] = outcome
            else:
                self.rendered.add(outcome)
                self.rendered_count += 1
                found.append(number)
        return found

    def _written_one(self) -> list[Rendering]:
        if self._writing is None or not self._writing.done():
            return []
        writing, self._writing = self._writing, None
        return [writing.result()]

    def _written(self, job: RenderJob, composed: ComposedFrame) -> Rendering:
        image_path, mask_path = self._outputs.paths(job.stem)
        return Rendering(
            job,
            image_bytes=write_image(image_path, composed.image_bgr_u8),
            mask_bytes=write_image(mask_path, composed.mask_u8),
        )
