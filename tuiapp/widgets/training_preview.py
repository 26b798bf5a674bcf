"""The preview of a training: its newest picture, a page at a time, beside an earlier one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Container

from tuiapp.bridge.preview_archive import PreviewArchive, read_picture
from tuiapp.bridge.run_view import PreviewPage, RunView
from tuiapp.bridge.wording import count_text, plain_text
from tuiapp.graphics.view import PixelView
from tuiapp.widgets.picture import Picture

# What the columns of DeepFaceLab's pages are, by the end of the page's name.
PAGE_COLUMNS = {
    "src-src": ("src", "src drawn"),
    "dst-dst": ("dst", "dst drawn"),
    "pred": ("dst", "swapped"),
}
ALL_COLUMNS = ("src", "src drawn", "dst", "dst drawn", "swapped")
# Above this proportion of cells two pictures lie side by side, below one on the other.
_WIDE = 2.5


class TrainingPreview(Container):
    """Draws the pages of a `RunView`, and steps through earlier ones."""

    DEFAULT_CSS = """
    TrainingPreview {
        layout: vertical;
        &.-wide { layout: horizontal; }
        & > Picture { height: 1fr; width: 1fr; border: round $primary 40%; }
        & > #earlier { display: none; border: round $secondary; }
        &.-compares > #earlier { display: block; }
    }
    """

    def __init__(self, run_folder: Path) -> None:
        super().__init__()
        self._run_folder = run_folder
        self._archive: PreviewArchive | None = None
        self._page = 0
        self._shown: PreviewPage | None = None
        self._earlier: int | None = None  # the iteration that is compared with
        self._earlier_shown: tuple[str, int] | None = None
        self._view = RunView()

    def compose(self) -> ComposeResult:
        yield Picture(id="now")
        yield Picture(id="earlier")

    def show(self, view: RunView, model_folder: Path) -> None:
        """Show the chosen page's newest picture, read in a thread."""
        self._view = view
        if self._archive is None and view.trains:
            self._archive = PreviewArchive(model_folder)
            self.look()
        if view.previews:
            self._paint()

    def turn(self, direction: int) -> None:
        """The next page (1) or the one before (-1)."""
        self._page += direction
        self._paint()

    def step(self, direction: int) -> None:
        """Compare with the picture before (-1) or after (1); beyond the newest, with none."""
        others = self._other_iterations()
        if self._earlier is None:
            self._earlier = others[-1] if direction < 0 and others else None
        elif direction < 0:
            self._earlier = max((i for i in others if i < self._earlier), default=self._earlier)
        else:
            self._earlier = min((i for i in others if i > self._earlier), default=None)
        self._paint()

    def turn_comparison(self) -> None:
        """Compare with the first picture there is, or with none."""
        others = self._other_iterations()
        self._earlier = others[0] if self._earlier is None and others else None
        self._paint()

    @property
    def has_earlier(self) -> bool:
        return bool(self._other_iterations())

    def look(self) -> None:
        """See which earlier pictures the model's folder has."""
        if self._archive is not None:
            self.run_worker(asyncio.to_thread(self._archive.look), group="look", exclusive=True)

    def on_resize(self) -> None:
        self._lay_out()

    def on_pixel_view_refused(self, event: PixelView.Refused) -> None:
        event.stop()
        self.query_one("#now", Picture).border_subtitle = plain_text(event.error.message)

    def _current(self) -> tuple[str, PreviewPage] | None:
        names = list(self._view.previews)
        if not names:
            return None
        name = names[self._page % len(names)]
        return name, self._view.previews[name]

    def _other_iterations(self) -> list[int]:
        current = self._current()
        if current is None or self._archive is None:
            return []
        return [i for i in self._archive.iterations(current[0]) if i < current[1].iteration]

    def _paint(self) -> None:
        current = self._current()
        if current is None:
            return
        name, page = current
        count = len(self._view.previews)
        pages = f"  {self._page % count + 1}/{count} (space)" if count > 1 else ""
        title = f"{plain_text(name)} at {count_text(page.iteration)}{pages}"
        self._entitle("#now", title, " | ".join(columns_of(name)))
        if page != self._shown:
            self._shown = page
            self.run_worker(self._load(name, page), exclusive=True, group="now")
        self._paint_earlier(name)

    def _paint_earlier(self, name: str) -> None:
        compares = self._earlier is not None and self._earlier in self._other_iterations()
        if compares != self.has_class("-compares"):
            self.set_class(compares, "-compares")
            self._lay_out()
        if not compares or self._earlier is None:
            self._earlier_shown = None
            return
        if self._earlier_shown != (name, self._earlier):
            self._earlier_shown = (name, self._earlier)
            others = self._other_iterations()
            place = f"{others.index(self._earlier) + 1} of {len(others)} (left, right)"
            self._entitle("#earlier", f"earlier, at {count_text(self._earlier)}", place)
            self.run_worker(self._load_earlier(name, self._earlier), exclusive=True, group="then")

    def _entitle(self, which: str, title: str, caption: str) -> None:
        picture = self.query_one(which, Picture)
        if picture.border_title != title or picture.border_subtitle != caption:
            picture.set_title(title, caption)  # repaints the picture, too

    def _lay_out(self) -> None:
        self.set_class(self.size.width > self.size.height * _WIDE, "-wide")

    async def _load(self, name: str, page: PreviewPage) -> None:
        encoded = await asyncio.to_thread(read_picture, self._run_folder / page.path)
        if encoded is None:
            return
        if self._archive is not None:
            self._archive.remember(name, page.iteration, encoded)
        self.query_one("#now", Picture).set_image_bytes(encoded)

    async def _load_earlier(self, name: str, iteration: int) -> None:
        if self._archive is None:
            return
        encoded = await asyncio.to_thread(self._archive.read, name, iteration)
        if encoded is not None:
            self.query_one("#earlier", Picture).set_image_bytes(encoded)


def columns_of(page: str) -> tuple[str, ...]:
    """What the page's columns show, from the left."""
    for ending, columns in PAGE_COLUMNS.items():
        if page.endswith(ending):
            return columns
    return ALL_COLUMNS
