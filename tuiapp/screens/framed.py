"""What all full screens share: crumbs above, job bar and footer below, painting on a timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen

from tuiapp.widgets.crumbs import Crumbs
from tuiapp.widgets.job_bar import JobBar
from tuiapp.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from tuiapp.app import FacewrightApp

# Four times a second is as lively as anyone needs and leaves keys undelayed (median 3 ms).
PAINT_EVERY_S = 0.25


class FramedScreen(Screen[None]):
    """Subclasses give `body` and, if they show what changes, `paint`."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    place = ""
    context = "app"  # whose keys the help shows first

    @property
    def workbench(self) -> FacewrightApp:
        return cast("FacewrightApp", self.app)

    def compose(self) -> ComposeResult:
        yield Crumbs(self.workbench.workspace.root, self.place)
        yield from self.body()
        yield JobBar()
        yield KeyFooter()

    def body(self) -> ComposeResult:
        raise NotImplementedError

    def paint(self) -> None:
        """Bring widgets up to date; called four times a second while the screen is seen."""

    @property
    def is_looking(self) -> bool:
        """A look at the disk goes on, in a worker of the group `look`. It is let finish, however
        slow the disk: begun anew every few seconds, none would ever end."""
        own = (worker for worker in self.workers if worker.node is self)
        return any(worker.group == "look" and not worker.is_finished for worker in own)

    @property
    def is_left(self) -> bool:
        """The screen is going or gone: what comes late must not ask for its widgets any more."""
        return not self.display

    def on_mount(self) -> None:
        self.set_interval(PAINT_EVERY_S, self._paint_if_seen)

    def on_screen_resume(self) -> None:
        self._paint_if_seen()

    def _paint_if_seen(self) -> None:
        if not self.is_mounted or not self._is_seen():
            return
        self.query_one(JobBar).show([watch.view for watch in self.workbench.board.live()])
        self.paint()

    def _is_seen(self) -> bool:
        """On top, or under a dialog that one can look through. Textual counts the screen under an
        opaque one as current too, and repaints the whole terminal when it changes."""
        top = self.app.screen
        return top is self or (self.is_current and top.styles.background.a < 1)

    def action_back(self) -> None:
        self.workbench.action_leave_screen()
