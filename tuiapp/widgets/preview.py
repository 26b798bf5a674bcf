"""The newest preview picture of a run, a page at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical

from tuiapp.bridge.preview_archive import read_picture
from tuiapp.bridge.run_view import PreviewPage, RunView
from tuiapp.bridge.wording import plain_text
from tuiapp.graphics.view import PixelView


class PreviewPane(Vertical):
    """A picture with its page's name in the frame."""

    def __init__(self, run_folder: Path) -> None:
        super().__init__()
        self._run_folder = run_folder
        self._page = 0
        self._shown: PreviewPage | None = None
        self._title = ""

    def compose(self) -> ComposeResult:
        yield PixelView()

    def turn(self, direction: int) -> None:
        self._page += direction

    def show(self, view: RunView) -> None:
        """Show the chosen page's newest picture, read in a thread."""
        names = list(view.previews)
        if not names:
            return
        self._page %= len(names)
        name = names[self._page]
        page = view.previews[name]
        pages = f" {self._page + 1}/{len(names)} (, .)" if len(names) > 1 else ""
        title = plain_text(f"{name} at {page.iteration}{pages}")
        if title != self._title:  # setting it repaints the picture, too
            self._title = self.border_title = title
        if page != self._shown:
            self._shown = page
            self.run_worker(self._load(self._run_folder / page.path), exclusive=True)

    async def _load(self, path: Path) -> None:
        encoded = await asyncio.to_thread(read_picture, path)
        if encoded is not None:
            self.query_one(PixelView).set_image_bytes(encoded)

    def on_pixel_view_refused(self, event: PixelView.Refused) -> None:
        event.stop()
        self.border_subtitle = plain_text(event.error.message)
