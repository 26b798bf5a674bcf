"""The faces of one side: seen, sorted, filtered, marked, moved to the trash and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.widgets import Input, Static

from engine import catalog
from engine.protocol.errors import FacewrightError, UsageError
from engine.protocol.workspace import Side
from tuiapp.bridge import face_folder
from tuiapp.bridge.face_facts import FacesetFacts, faceset_version, read_faceset
from tuiapp.bridge.face_fields import FaceKey
from tuiapp.bridge.face_likeness import near_duplicates, same_person
from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.bridge.faceset_words import current_line, listing_line, moved_words, nothing_text
from tuiapp.bridge.report_entries import FaceChoice
from tuiapp.bridge.thumbnails import Thumbnails
from tuiapp.keymap import bindings
from tuiapp.screens.framed import FramedScreen
from tuiapp.widgets.face_grid import FaceGrid
from tuiapp.widgets.face_zoom import FaceZoom

# How often the folder is asked whether it changed, and the part of the time that reading it may
# take while faces are being extracted into it.
LOOK_EVERY_S = 2.0
LOOK_SHARE = 0.1


class FacesetScreen(FramedScreen):
    """Draws a `FacesetList`, which outlives the screen."""

    CSS_PATH = "faceset.tcss"
    BINDINGS = bindings("faceset")
    context = "faceset"

    def __init__(self, state: FacesetList, choice: FaceChoice | None = None) -> None:
        """choice: what to show of the faces; without one, what was shown last."""
        super().__init__()
        self.state = state
        self._is_chosen = choice is not None
        self._choice = choice
        if choice is not None:
            state.filter_by(choice.filter_text)
        self.place = f"Faces of {state.side}"
        self._facts: FacesetFacts | None = None
        self._version: object = None
        self._looked_at = float("-inf")
        self._look_took_s = 0.0

    @property
    def side(self) -> Side:
        return self.workbench.workspace.side(self.state.side)

    def body(self) -> ComposeResult:
        workspace = self.workbench.workspace
        yield FaceGrid(Thumbnails(workspace.state / "thumbs", self.side))
        yield FaceZoom(workspace, self.state.side)
        yield Static("looking ...", id="nothing", markup=False)
        yield Static("", id="listing", markup=False)
        yield Static("", id="current", markup=False)
        yield Input(self.state.filter_text, placeholder="yaw>0.3 sharp<50 00012", id="filter")

    @property
    def grid(self) -> FaceGrid:
        return self.query_one(FaceGrid)

    @property
    def zoomed(self) -> bool:
        return self.has_class("-zoomed")

    # Keeping up with the disk

    def paint(self) -> None:
        pause_s = max(LOOK_EVERY_S, self._look_took_s / LOOK_SHARE)
        if time.monotonic() - self._looked_at >= pause_s:
            self._looked_at = time.monotonic()
            self.run_worker(self._look(), group="look", exclusive=True)

    async def _look(self, *, anyway: bool = False) -> None:
        """Read the folder and the index if either changed."""
        workspace, side_name = self.workbench.workspace, self.state.side
        began = time.monotonic()
        version = await asyncio.to_thread(faceset_version, workspace, side_name)
        if version == self._version and not anyway:
            return
        try:
            facts = await asyncio.to_thread(read_faceset, workspace, side_name)
        except FacewrightError as error:
            self.workbench.say(error.message, severity="error")
            return
        finally:
            self._version = version
            self._look_took_s = time.monotonic() - began
        self._facts = facts
        self.state.replace(facts.faces)
        self._take_choice()
        self.show()

    def _take_choice(self) -> None:
        """Once: show the chosen faces only, the cursor on the one that was chosen."""
        choice, self._choice = self._choice, None
        if choice is None:
            return
        wanted = set(choice.files)
        keys = {face.key for face in self.state.faces if face.name in wanted}
        self.state.limit_to(keys if wanted else None, choice.label)
        names = [face.name for face in self.state.shown]
        self.state.move_to(names.index(choice.first) if choice.first in names else 0)
        if wanted and not keys:
            self.workbench.say("these faces are gone; make the report anew", severity="warning")

    def show(self) -> None:
        """Bring everything that is seen in line with the state."""
        state, facts = self.state, self._facts
        if facts is None:
            return
        self.set_class(not state.shown, "-empty")
        if not state.shown:
            self.query_one("#nothing", Static).update(nothing_text(state, self.side))
        self.grid.show(state.shown, state.cursor, state.marks, state.range_keys())
        if self.zoomed and state.current is not None:
            self.query_one(FaceZoom).show(state.current)
        self._show_words(facts)

    def _show_words(self, facts: FacesetFacts) -> None:
        state = self.state
        problem = self.grid.problems.get(state.current.key, "") if state.current else ""
        self.query_one("#listing", Static).update(listing_line(state, facts))
        self.query_one("#current", Static).update(current_line(state, problem))

    # Moving

    def action_step(self, faces: int) -> None:
        self.state.move(faces)
        self.show()

    def action_row(self, rows: int) -> None:
        if self.zoomed:
            self.state.move(rows)
        else:
            self.state.move_rows(rows, self.grid.sheet.columns)
        self.show()

    def action_page(self, pages: int) -> None:
        layout = self.grid.sheet
        self.state.move_rows(pages * layout.rows, layout.columns)
        self.show()

    def action_first(self) -> None:
        self.state.move_to(0)
        self.show()

    def action_last(self) -> None:
        self.state.move_to(len(self.state.shown))
        self.show()

    def on_face_grid_picked(self, event: FaceGrid.Picked) -> None:
        if event.place < len(self.state.shown):
            self.state.move_to(event.place)
            self.show()

    def action_tiles(self, steps: int) -> None:
        self.grid.resize_tiles(steps)

    def action_zoom(self) -> None:
        if self.state.current is not None:
            self.toggle_class("-zoomed")
            self.show()

    # Marks

    def _is_pack(self) -> bool:
        """Whether nothing can be marked or moved here; if so, that is said."""
        if self._facts is None or not self._facts.packed:
            return False
        self.workbench.say("these faces are packed: marking needs faceset-unpack first")
        return True

    def action_mark(self) -> None:
        if self._is_pack():
            return
        self.state.toggle_mark()
        self.show()

    def action_range(self) -> None:
        if self._is_pack():
            return
        if self.state.in_range:
            self.state.end_range()
        else:
            self.state.start_range()
        self.show()

    def action_mark_shown(self) -> None:
        if self._is_pack():
            return
        self.state.mark_shown()
        self.show()

    # The trash

    def action_trash(self) -> None:
        if self._is_pack():
            return
        faces = self.state.chosen()
        self._change_files(lambda: face_folder.move_to_trash(self.side, faces), "to")

    def action_restore(self) -> None:
        if self._is_pack():
            return
        folder = face_folder.newest_trash(self.side)
        if folder is None:
            self.workbench.say(f"nothing in {face_folder.trash_folder(self.side)} to bring back")
        else:
            self._change_files(lambda: face_folder.restore(self.side, folder), "back from")

    def _change_files(self, change: Callable[[], face_folder.Moved], direction: str) -> None:
        """Never while a run writes this faceset, and never two at once."""
        busy = self._run_that_writes()
        if busy is not None:
            self.workbench.say(f"{busy} is changing these faces; wait for it", severity="warning")
        elif not any(w.group == "change" and not w.is_finished for w in self.workers):
            self.run_worker(self._change(change, direction), group="change")

    def _run_that_writes(self) -> str | None:
        wanted = f"faces-{self.state.side}"
        live = (watch.view for watch in self.workbench.board.live())
        return next((v.stage for v in live if wanted in resources(v.stage, v.options)), None)

    async def _change(self, change: Callable[[], face_folder.Moved], direction: str) -> None:
        try:
            moved = await asyncio.to_thread(change)
        except FacewrightError as error:
            self.workbench.say(f"{error.message}; {error.remedy}", severity="error")
        else:
            self.workbench.say(moved_words(moved, direction))
        await self._look(anyway=True)

    # Order and filter

    def action_order(self) -> None:
        self.state.next_order(indexed=bool(self._facts and self._facts.indexed))
        self.show()

    def action_reverse(self) -> None:
        self.state.reverse()
        self.show()

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#filter").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.value == self.state.filter_text:
            return
        try:
            self.state.filter_by(event.value)
        except UsageError as error:  # what is being typed is seldom whole: told, not refused
            self.query_one("#current", Static).update(f"{error.message}; {error.remedy}")
        else:
            self.show()

    def on_input_submitted(self) -> None:
        self._leave_filter()

    def _leave_filter(self) -> None:
        self.remove_class("-filtering")
        self.set_focus(None)
        self.show()

    def action_only_marked(self) -> None:
        self._limit("marked", lambda: frozenset(self.state.marks))

    def action_duplicates(self) -> None:
        workspace, side_name, faces = self.workbench.workspace, self.state.side, self.state.faces
        self._limit("near duplicates", lambda: near_duplicates(workspace, side_name, faces))

    def action_same_person(self) -> None:
        reference, faces = self.state.current, self.state.faces
        if reference is None:
            return
        workspace, side_name = self.workbench.workspace, self.state.side
        self._limit(
            f"like {reference.name}", lambda: same_person(workspace, side_name, faces, reference)
        )

    def _limit(self, label: str, find: Callable[[], frozenset[FaceKey] | None]) -> None:
        """Show only what `find` gives; with a limit already there: all again."""
        if self.state.limit_label:
            self.state.limit_to(None)
            self.show()
        else:
            self.run_worker(self._find(label, find), group="limit", exclusive=True)

    async def _find(self, label: str, find: Callable[[], frozenset[FaceKey] | None]) -> None:
        try:
            keys = await asyncio.to_thread(find)
        except FacewrightError as error:
            self.workbench.say(f"{error.message}; {error.remedy}", severity="error")
            return
        if keys:
            self.state.limit_to(keys, label)
            self.show()
        else:
            why = "" if keys is not None else ": the index has no identities (key i makes them)"
            self.workbench.say(f"no faces {label}{why}", severity="warning")

    # Other places

    def action_look(self) -> None:
        self.run_worker(self._look(anyway=True), group="look", exclusive=True)

    def action_masks(self) -> None:
        if not self._is_pack():
            current = self.state.current
            self.workbench.open_masks(self.state.side, current.name if current else "")

    def action_report(self) -> None:
        self.workbench.open_report(self.state.side)

    def action_other_side(self) -> None:
        self.workbench.open_faceset("dst" if self.state.side == "src" else "src")

    def action_form(self, stage_id: str) -> None:
        self.workbench.open_form(stage_id, {"side": self.state.side})

    def action_back(self) -> None:
        """Out of what is innermost: filter, range, zoom, the screen."""
        if self.has_class("-filtering"):
            self._leave_filter()
        elif self.state.in_range:
            self.state.drop_range()
            self.show()
        elif self.zoomed:
            self.action_zoom()
        else:
            self._forget_choice()
            super().action_back()

    def _forget_choice(self) -> None:
        """The next to look at these faces sees all of them."""
        if self._is_chosen:
            self.state.limit_to(None)
            self.state.filter_by("")


def resources(stage_id: str, options: Mapping[str, object]) -> list[str]:
    """What a run of that stage with these options alone may write; [] for a stage of another
    version."""
    for spec in catalog.STAGES:
        if spec.id == stage_id:
            defaults = {o.name: o.default for o in spec.options}
            return [template.format_map(defaults | dict(options)) for template in spec.resources]
    return []
