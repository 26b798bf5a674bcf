"""The frames of a side one by one, with what was found in them; the wrong ones are marked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Static

from engine.protocol.errors import FacewrightError, InputError
from engine.protocol.frame_marks import BY_HAND, KEEP, SUSPICIOUS
from tuiapp.bridge.frame_review import (
    REASON_WORDS,
    FrameReview,
    ReviewFolder,
    count_words,
    look_at_frames,
    review_version,
    where_words,
)
from tuiapp.bridge.wording import plain_text
from tuiapp.keymap import bindings
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.pick import LineScreen, PickScreen
from tuiapp.widgets.canvas import Canvas
from tuiapp.widgets.face_zoom import read_rgb

LOOK_EVERY_S = 2.0
# How far a key pans, in parts of what is seen.
PAN_SHARE = 0.25
_AGAIN = (
    ("faces-extract", "marked", "marked, suspicious or without a face: by a detector"),
    ("faces-manual", "marked", "marked, suspicious or without a face: by hand"),
    ("faces-extract", "deleted-debug", "debug picture deleted: by a detector"),
    ("faces-manual", "deleted-debug", "debug picture deleted: by hand, as in DeepFaceLab"),
)


class DebugReviewScreen(FramedScreen):
    """Draws a `FrameReview`, which outlives the screen."""

    CSS_PATH = "debug_review.tcss"
    BINDINGS = bindings("review")
    context = "review"

    def __init__(self, review: FrameReview, folder: ReviewFolder) -> None:
        super().__init__()
        self.review = review
        self.place = f"Frames of {review.side_name}"
        self._folder = folder
        self._version: object = None
        self._looked_at = float("-inf")
        self._shown: Path | None = None
        self._changing = asyncio.Lock()

    def body(self) -> ComposeResult:
        canvas = Canvas(pans_with=1)
        canvas.shows_cursor = False
        yield canvas
        yield Static("looking ...", id="nothing", markup=False)
        yield Static("", id="where", markup=False)
        yield Static("", id="counts", markup=False)

    @property
    def canvas(self) -> Canvas:
        return self.query_one(Canvas)

    # Keeping up with the disk

    def paint(self) -> None:
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S and not self.is_looking:
            self._looked_at = time.monotonic()
            self.run_worker(self._look(), group="look", exclusive=True)

    async def _look(self, *, anyway: bool = False) -> None:
        workspace, side_name = self.workbench.workspace, self.review.side_name
        version = await asyncio.to_thread(review_version, workspace, side_name)
        if version == self._version and not anyway:
            return
        self._version = version
        try:
            look = await asyncio.to_thread(look_at_frames, workspace, side_name)
        except FacewrightError as error:
            self._tell(error)
            self._stay_empty(error)
            return
        self.review.take(look)
        self._shown = None  # the same file may hold another picture by now
        self.show()

    def _stay_empty(self, error: FacewrightError) -> None:
        """Where nothing was seen yet, what is wrong stays to be read."""
        if self.review.current is None and not self.is_left:
            self.set_class(True, "-empty")
            self.query_one("#nothing", Static).update(f"{error.message}; {error.remedy}")

    def show(self) -> None:
        """Bring everything that is seen in line with the state."""
        review = self.review
        if self.is_left:
            return
        self.set_class(review.current is None, "-empty")
        self.set_class(BY_HAND in review.mark.reasons or review.lacks_debug, "-marked")
        self.query_one("#where", Static).update(where_words(review))
        self.query_one("#counts", Static).update(count_words(review))
        if review.current is None:
            words = f"no frames in {self.workbench.workspace.side(review.side_name).frames}"
            self.query_one("#nothing", Static).update(words)
        else:
            self.run_worker(self._show_picture(review.current), group="picture", exclusive=True)

    async def _show_picture(self, frame: str) -> None:
        path = await asyncio.to_thread(self._folder.picture, frame)
        if path == self._shown:
            return
        try:
            rgb_u8 = await asyncio.to_thread(read_rgb, path)
        except InputError as error:
            self._show_unreadable(frame, error)
            return
        if not self.is_left:
            self._shown = path
            self.canvas.set_picture(rgb_u8)

    def _show_unreadable(self, frame: str, error: InputError) -> None:
        if not self.is_left:
            self.canvas.clear()
            self._shown = None
            self.query_one("#where", Static).update(plain_text(f"{frame}  {error.message}"))

    # Moving

    def action_step(self, frames: int) -> None:
        self.review.move(frames)
        self.show()

    def action_first(self) -> None:
        self.review.move_to(0)
        self.show()

    def action_last(self) -> None:
        self.review.move_to(len(self.review.look.frames))
        self.show()

    def action_seek(self, reason: str, direction: int) -> None:
        if self.review.seek(lambda mark: reason in mark.reasons, direction):
            self.show()
            return
        more = ": key c looks for them" if reason == SUSPICIOUS else ""
        self.workbench.say(f"no frame is {REASON_WORDS[reason]}{more}")

    def action_zoom(self, steps: int) -> None:
        self.canvas.zoom_by(steps)

    def action_pan(self, across: int, down: int) -> None:
        self.canvas.pan(PAN_SHARE * across, PAN_SHARE * down)

    # Marks and pictures

    def action_mark(self) -> None:
        self._toggle(BY_HAND)

    def action_keep(self) -> None:
        self._toggle(KEEP)

    def _toggle(self, reason: str, note: str = "") -> None:
        frame = self.review.current
        if frame is not None:
            self._change(lambda: self._folder.toggle(frame, reason, note))

    def action_reason(self) -> None:
        frame = self.review.current
        if frame is None:
            return

        def said(note: str | None) -> None:
            if note:
                self._change(lambda: self._folder.toggle(frame, BY_HAND, note))

        ask = LineScreen(f"What is wrong with {plain_text(frame)}?", "a few words, for later")
        self.app.push_screen(ask, said)

    def action_delete(self) -> None:
        frame = self.review.current
        if frame is not None:
            self._change(lambda: self._folder.delete_debug(frame))

    def action_undo(self) -> None:
        self._change(self._restore)

    def _restore(self) -> None:
        if self._folder.restore_debug() is None:
            raise InputError("no debug picture was deleted here", "look into the trash")

    def _change(self, change: Callable[[], object]) -> None:
        """One after another, in the order of the keys."""
        self.run_worker(self._changed(change), group="change")

    async def _changed(self, change: Callable[[], object]) -> None:
        async with self._changing:
            try:
                await asyncio.to_thread(change)
            except FacewrightError as error:
                self._tell(error)
            await self._look(anyway=True)

    # Other places

    def action_again(self) -> None:
        rows = [(f"{stage}/{frames}", words) for stage, frames, words in _AGAIN]

        def chosen(id: str | None) -> None:
            if id is not None:
                stage, _, frames = id.partition("/")
                self.workbench.open_form(stage, {"side": self.review.side_name, "frames": frames})

        ask = PickScreen("Which frames again, and how?", rows, count_words(self.review))
        self.app.push_screen(ask, chosen)

    def action_check(self) -> None:
        self.workbench.open_form("landmarks-check", {"side": self.review.side_name})

    def action_pictures(self) -> None:
        values = {"side": self.review.side_name, "frames": "all", "debug_images": "yes"}
        self.workbench.open_form("faces-extract", values)

    def action_look(self) -> None:
        self.run_worker(self._look(anyway=True), group="look", exclusive=True)

    def action_other_side(self) -> None:
        self.workbench.open_debug_review("dst" if self.review.side_name == "src" else "src")

    def _tell(self, error: FacewrightError) -> None:
        self.workbench.say(f"{error.message}; {error.remedy}", severity="error")
