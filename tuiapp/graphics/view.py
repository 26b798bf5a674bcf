"""The picture widget: give it frames as fast as they come, it shows what the terminal can take."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.protocol.errors import FacewrightError, UsageError
from tuiapp.graphics import textual_hooks
from tuiapp.graphics.frame import Fit, Source, Target, band_aligned, free_spans
from tuiapp.graphics.overlay import Overlay
from tuiapp.graphics.quality import BEST, Quality, QualityLadder, target_ms
from tuiapp.graphics.terminal import Protocol

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray
    from textual.timer import Timer

    from tuiapp.graphics.encode import Encoder
    from tuiapp.graphics.frame import EncodedFrame, Part

# Frames further apart than this are single pictures: their quality is not lowered for speed.
_STREAM_GAP_S = 1.0
_REFINE_AFTER_S = 0.6


@dataclass
class PixelStats:
    """What a view did so far; times are of the last frame."""

    protocol: str = ""
    sent: int = 0
    dropped: int = 0
    lost: int = 0
    encode_ms: float = 0.0
    ack_ms: float = 0.0
    encoded_bytes: int = 0
    quality_level: int = 0


class PixelView(Widget):
    """Shows one picture, in pixels where the terminal can, else in block characters.

    The app must be a `PixelApp`. The background around the picture is the widget's own.
    """

    DEFAULT_CSS = "PixelView { width: 1fr; height: 1fr; }"
    ALLOW_SELECT: ClassVar[bool] = False

    class Refused(Message):
        """The picture given last cannot be shown; the one before it stays."""

        def __init__(self, error: FacewrightError) -> None:
            super().__init__()
            self.error = error

    class _Encoded(Message, bubble=False):
        def __init__(self, work: Future[EncodedFrame]) -> None:
            super().__init__()
            self.work = work

    def __init__(
        self,
        *,
        fit: Fit = Fit.CONTAIN,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.stats = PixelStats()
        self._fit = fit
        self._source: Source | None = None
        self._failed: Source | None = None
        self._frame: EncodedFrame | None = None
        self._encoder: Encoder | None = None
        self._work: Future[EncodedFrame] | None = None
        self._ladder = QualityLadder(target_ms())
        self._refine = False
        self._fence_due = False
        self._given_at_s = float("-inf")
        self._streaming = False
        self._draw_due = False
        self._encoding: Source | None = None
        self._refine_timer: Timer | None = None
        self._kitty_ids = (1, 2)
        self._strips: list[Strip] | None = None

    @property
    def fit(self) -> Fit:
        return self._fit

    @fit.setter
    def fit(self, fit: Fit) -> None:
        self._fit = fit
        self.pump()

    def set_frame(self, rgb_u8: NDArray[np.uint8]) -> None:
        """Shows `rgb_u8` (h, w, 3) uint8 RGB soon; a newer frame takes its place at any time.

        The array must not be changed afterwards. Raises UsageError for another shape or type.
        """
        if rgb_u8.ndim != 3 or rgb_u8.shape[2] != 3 or rgb_u8.dtype != "uint8" or not rgb_u8.size:
            raise UsageError(
                f"a frame of shape {rgb_u8.shape} and type {rgb_u8.dtype} cannot be shown",
                "give (height, width, 3) uint8 RGB",
            )
        self._give(Source(rgb_u8=rgb_u8))

    def set_image_bytes(self, encoded: bytes) -> None:
        """Shows a JPEG, PNG or WebP file's bytes; decoded off the UI thread.

        Bytes that are no such picture are answered by a `Refused` message.
        """
        self._give(Source(encoded=encoded))

    def clear(self) -> None:
        """Shows nothing."""
        self._source = self._frame = self._strips = None
        self.refresh()

    def _give(self, source: Source) -> None:
        if self._source is not None and self._source is not self._encoding:
            self.stats.dropped += 1
        now_s = time.monotonic()
        self._streaming = now_s - self._given_at_s < _STREAM_GAP_S
        self._given_at_s = now_s
        self._refine = False
        self._source = source
        self.pump()

    # What is to be drawn

    @property
    def overlay(self) -> Overlay:
        overlay: Overlay = getattr(self.app, "overlay")  # noqa: B009 - App does not declare it
        return overlay

    @property
    def on_top(self) -> bool:
        """True while this widget's screen is the one in front."""
        return self.is_attached and self.screen.is_active and bool(self.content_region.area)

    def pump(self) -> None:
        """Draws what waits to be drawn, and encodes what is not yet shown as it should be, if the
        terminal is ready for more."""
        self._draw_if_due()
        if self._work is not None or self._source is None or self._source is self._failed:
            return
        if not self.is_attached or not self.on_top or not self.overlay.may_send():
            return
        source, target, quality = self._source, self._target(), self._quality()
        if target.graphics.protocol is Protocol.OFF or self._is_shown(source, target, quality):
            return
        self._encoding = source
        self._work = self.overlay.in_thread(lambda: self._encode(source, target, quality))
        self._work.add_done_callback(lambda work: self.post_message(self._Encoded(work)))

    def retarget(self) -> None:
        """The terminal changed: encode again, and show no characters of the old shape."""
        self._strips = None
        self.refresh()
        self.pump()

    def _is_shown(self, source: Source, target: Target, quality: Quality) -> bool:
        frame = self._frame
        if frame is None or frame.source is not source or frame.target != target:
            return False
        return frame.quality == quality or not self._refine

    def _quality(self) -> Quality:
        return self._ladder.quality if self._streaming and not self._refine else BEST

    def _target(self) -> Target:
        graphics = self.overlay.graphics
        if graphics.protocol.has_pixels and not self._can_have_pixels():
            graphics = replace(graphics, protocol=Protocol.QUADRANT)
        region = self.content_region
        covered = [
            (cover.y - region.y, cover.bottom - region.y)
            for cover in textual_hooks.covering_regions(self)
        ]
        spans = free_spans(region.height, covered)
        if covered and graphics.protocol is Protocol.SIXEL:
            spans = band_aligned(spans, graphics.cell_height_px)
        return Target(
            graphics=graphics,
            columns=region.width,
            rows=region.height,
            fit=self._fit,
            background_rgb=self.background_colors[1].rgb,
            row_spans=spans,
        )

    def _can_have_pixels(self) -> bool:
        return self.overlay.enabled and textual_hooks.is_wholly_visible(self)

    # The encoder thread

    def _encode(self, source: Source, target: Target, quality: Quality) -> EncodedFrame:
        from tuiapp.graphics.encode import Encoder

        if self._encoder is None:
            self._encoder = Encoder(self._kitty_ids)
        return self._encoder.encode(source, target, quality)

    # Drawing

    def on_pixel_view__encoded(self, message: _Encoded) -> None:
        work, self._work = message.work, None
        if work.cancelled() or not self.is_attached or self._source is None:
            return
        error = work.exception()
        if isinstance(error, FacewrightError):
            self._failed = self._encoding
            self.post_message(self.Refused(error))
        elif error is not None:
            raise error
        else:
            self._show(work.result())
        self.pump()

    def _show(self, frame: EncodedFrame) -> None:
        before, self._frame = self._frame, frame
        self._strips = None
        self._note(frame)
        if not frame.target.graphics.protocol.has_pixels:
            self._fence_due = True
            self.refresh()
            return
        textual_hooks.forget_rendered_lines(self)
        self.overlay.write_prelude(frame.prelude)
        stale = self._stale_rows(before, frame)
        if stale:
            # Drawn by `draw_again`, once the characters are there.
            self._fence_due = True
            self.refresh(*stale)
        else:
            self._draw_or_wait(frame, in_repaint=False, counts=self._streaming)
        if frame.quality != BEST:
            self._refine_later()

    def _note(self, frame: EncodedFrame) -> None:
        self.stats.sent += 1
        self.stats.encode_ms = frame.encode_ms
        self.stats.encoded_bytes = frame.encoded_bytes
        self.stats.protocol = frame.target.graphics.protocol.value
        self.stats.quality_level = self._ladder.level

    def _stale_rows(self, before: EncodedFrame | None, frame: EncodedFrame) -> list[Region]:
        """Rows whose characters are seen and are not this frame's."""
        rows, spans = frame.target.rows, frame.target.row_spans
        changed = before is None or before.target.row_spans != spans
        if changed and self.overlay.graphics.inside_tmux:
            # tmux drops a whole picture when text is written over a part of it.
            return [self.size.region]
        covered = free_spans(rows, spans)
        return [Region(0, first, self.size.width, last - first) for first, last in covered]

    def draw_again(self) -> None:
        """Characters were written over the picture: draws its pixels over them."""
        frame = self._frame
        if frame is None:
            return
        counts, self._fence_due = self._fence_due and self._streaming, False
        if frame.target.graphics.protocol.has_pixels:
            self._draw_or_wait(frame, in_repaint=True, counts=counts)
        elif self.overlay.may_send():
            self.overlay.fence(self, counts=counts)

    def _draw_or_wait(self, frame: EncodedFrame, *, in_repaint: bool, counts: bool) -> None:
        if self.overlay.may_send():
            self._draw(frame, in_repaint=in_repaint, counts=counts)
        else:
            self._draw_due = True

    def _draw(self, frame: EncodedFrame, *, in_repaint: bool, counts: bool) -> None:
        parts = self._drawable(frame)
        if parts:
            self._draw_due = False
            self.overlay.write(self, parts, in_repaint=in_repaint)
            self.overlay.fence(self, counts=counts)

    def _drawable(self, frame: EncodedFrame) -> tuple[Part, ...]:
        """The parts of `frame` that fit the place and that nothing covers now.

        None where another screen came to the front while the frame was encoded.
        """
        target = self._target()
        if not self.on_top or target.geometry != frame.target.geometry:
            return ()
        return tuple(
            part
            for part in frame.parts
            if any(
                first <= part.first_row and part.last_row <= last
                for first, last in target.row_spans
            )
        )

    def acknowledged(self, milliseconds: float, *, lost: bool, counts: bool) -> None:
        """The terminal has taken a frame (or it was given up as `lost`)."""
        self.stats.ack_ms = milliseconds
        self.stats.lost += int(lost)
        if counts:
            self._ladder.record(milliseconds)
        self._draw_if_due()

    def _draw_if_due(self) -> None:
        """Any view's frame that the terminal has taken makes room for those that wait."""
        if self._draw_due and self.on_top and self.overlay.may_send():
            self.draw_again()

    def _refine_later(self) -> None:
        if self._refine_timer is not None:
            self._refine_timer.stop()
        self._refine_timer = self.set_timer(_REFINE_AFTER_S, self._refine_now)

    def _refine_now(self) -> None:
        """No newer frame came: the last one is drawn once more, as well as possible."""
        self._refine = True
        self.pump()

    # Characters

    def render_line(self, y: int) -> Strip:
        strips = self._character_strips()
        if y < len(strips):
            return strips[y]
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def _character_strips(self) -> list[Strip]:
        frame = self._frame
        if frame is None or (frame.target.columns, frame.target.rows) != self.size:
            return []
        if self._strips is None:
            from tuiapp.graphics.block_strips import strips_of

            self._strips = strips_of(frame, self.visual_style.rich_style)
        return self._strips

    # Life

    def on_mount(self) -> None:
        self._kitty_ids = self.overlay.kitty_ids()
        self.overlay.attach(self)

    def on_unmount(self) -> None:
        if self._refine_timer is not None:
            self._refine_timer.stop()
        self.overlay.detach(self)
        if self.stats.protocol == Protocol.KITTY:
            self.overlay.erase_kitty(self._kitty_ids)

    def on_show(self) -> None:
        self.pump()

    def on_resize(self) -> None:
        self._strips = None
        self.pump()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None
        if self.is_mounted:
            self.pump()
