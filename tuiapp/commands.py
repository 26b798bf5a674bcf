"""The command palette's own entries: every stage, theme, run and screen by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from engine import catalog
from engine.protocol.workspace import SIDES

if TYPE_CHECKING:
    from tuiapp.app import FacewrightApp

Entry = tuple[str, str, Callable[[], None]]  # name, help, what to do
RUNS_OFFERED = 30


class WorkbenchCommands(Provider):
    """Stages first: they are what one looks for."""

    @property
    def workbench(self) -> FacewrightApp:
        return cast("FacewrightApp", self.app)

    async def discover(self) -> Hits:
        for name, words, act in self._stages():
            yield DiscoveryHit(Content(name), act, text=name, help=words)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, words, act in self._entries():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), act, text=name, help=words)

    def _entries(self) -> Iterator[Entry]:
        yield from self._stages()
        yield from self._runs()
        yield from self._themes()
        yield from self._screens()

    def _stages(self) -> Iterator[Entry]:
        for spec in catalog.STAGES:
            act = partial(self.workbench.open_form, spec.id)
            yield f"{spec.group}: {spec.title} ({spec.id})", spec.summary, act

    def _runs(self) -> Iterator[Entry]:
        for info in self.workbench.board.infos[:RUNS_OFFERED]:
            act = partial(self.workbench.open_run_by_id, info.id)
            yield f"Run: {info.stage} {info.state} ({info.id})", info.message, act

    def _themes(self) -> Iterator[Entry]:
        for name, label in self.workbench.theme_labels.items():
            yield f"Theme: {label}", "colours of the workbench", partial(self._set_theme, name)

    def _screens(self) -> Iterator[Entry]:
        workbench = self.workbench
        yield "Home: the workspace at a glance", "", workbench.action_home
        yield "Help: all keys", "", workbench.action_help
        yield "Models", "compare, rename, duplicate, reset, restore, import", workbench.open_models
        for side in SIDES:
            act = partial(workbench.open_faceset, side)
            yield f"Faces of {side}", "see, filter, mark, sort out", act
            act = partial(workbench.open_debug_review, side)
            yield f"Frames of {side} in review", "what was found in them; mark wrong ones", act
            act = partial(workbench.open_masks, side)
            yield f"Masks of {side}", "draw and correct labels by hand", act
            act = partial(workbench.open_report, side)
            yield f"Report on {side}", "what is in the faceset, what is wrong with it", act
        yield "Newest run", "", workbench.action_newest_run
        yield "Look at the workspace again", "", workbench.look_again

    def _set_theme(self, name: str) -> None:
        self.workbench.theme = name
