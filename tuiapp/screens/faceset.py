"""The faces of one side: seen, sorted, filtered, marked, moved to the trash and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.app import ComposeResult
from textual.widgets import Input, Static

from engine.protocol.errors import FacewrightError, UsageError
from engine.protocol.workspace import Side
from tuiapp.bridge import face_folder
from tuiapp.bridge.face_facts import FacesetFacts, faceset_version, read_faceset
from tuiapp.bridge.face_fields import Face, FaceKey
from tuiapp.bridge.face_likeness import near_duplicates, same_person
from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.bridge.faceset_words import (
    DUPLICATES,
    MARKED,
    PERSON,
    current_line,
    listing_line,
    moved_words,
    none_found_words,
    nothing_text,
    trash_question,
)
from tuiapp.bridge.report_entries import FaceChoice
from tuiapp.bridge.thumbnails import Thumbnails
from tuiapp.keymap import bindings
from tuiapp.screens.dialogs import AskScreen
from tuiapp.screens.face_moving import FaceMovingScreen
from tuiapp.widgets.face_grid import FaceGrid
from tuiapp.widgets.face_zoom import FaceZoom

# How often the folder is asked whether it changed, and the part of the time that reading it may
# take while faces are being extracted into it.
LOOK_EVERY_S = 2.0
LOOK_SHARE = 0.1
INDEX = "faceset-index"


class FacesetScreen(FaceMovingScreen):
    """Draws a `FacesetList`, which outlives the screen."""

    CSS_PATH = "faceset.tcss"
    BINDINGS = bindings("faceset")
    context = "faceset"

    def __init__(self, state: FacesetList, choice: FaceChoice | None = None) -> None:
        """choice: what to show of the faces; without one, what was shown last."""
        super().__init__(state)
        self._is_chosen = choice is not None
        self._choice = choice
        if choice is not None:
            state.filter_by(choice.filter_text)
        self.place = f"Faces of {state.side}"
        self._facts: FacesetFacts | None = None
        self._version: object = None
        self._looked_at = float("-inf")
        self._look_took_s = 0.0
        self._wants_identities = False

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
        yield Input(self.state.filter_text, placeholder="yaw>20 sharp<50 00012", id="filter")

    @property
    def _writer(self) -> str | None:
        """The stage of a run that is changing these faces."""
        return self.workbench.board.writer_of(f"faces-{self.state.side}")

    def on_mount(self) -> None:
        self.add_class("-empty")  # of what was not looked at yet

    # Keeping up with the disk

    def paint(self) -> None:
        pause_s = max(LOOK_EVERY_S, self._look_took_s / LOOK_SHARE)
        if time.monotonic() - self._looked_at >= pause_s and not self.is_looking:
            self.run_worker(self._look(), group="look")

    def _look_anew(self) -> None:
        """At once, or after the look that goes on; also where nothing seems to have changed."""
        self._version, self._looked_at = None, float("-inf")
        if not self.is_left:
            self.paint()

    async def _look(self) -> None:
        """Read the folder and the index if either changed."""
        workspace, side_name = self.workbench.workspace, self.state.side
        began = self._looked_at = time.monotonic()
        version = await asyncio.to_thread(faceset_version, workspace, side_name)
        if version == self._version:
            return
        self._version = version
        try:
            facts = await asyncio.to_thread(read_faceset, workspace, side_name)
        except FacewrightError as error:
            self._stay_empty(error)
            return
        if self.is_left:
            return  # the list outlives the screen, and must not be narrowed to its choice any more
        self._look_took_s = time.monotonic() - began
        self._facts = facts
        self.state.replace(facts.faces)
        self._take_choice()
        self.show()

    def _stay_empty(self, error: FacewrightError) -> None:
        """Where nothing was seen yet, what is wrong stays to be read."""
        self.workbench.say(f"{error.message}; {error.remedy}", severity="error")
        if self._facts is None and not self.is_left:
            self.query_one("#nothing", Static).update(f"{error.message}; {error.remedy}")

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
        elif wanted and choice.outdated:
            words = "faces changed since the report was made: a name may be another face's now"
            self.workbench.say(words, severity="warning")

    def show(self) -> None:
        """Bring everything that is seen in line with the state."""
        state, facts = self.state, self._facts
        if facts is None or self.is_left:
            return
        self.set_class(not state.shown, "-empty")
        if not state.shown:
            words = nothing_text(state, self.side, self._writer)
            self.query_one("#nothing", Static).update(words)
        self.grid.show(state.shown, state.cursor, state.marks, state.range_keys())
        if self.zoomed and state.current is not None:
            self.query_one(FaceZoom).show(state.current)
        self._show_words(facts)

    def _show_words(self, facts: FacesetFacts) -> None:
        state = self.state
        problem = self.grid.problems.get(state.current.key, "") if state.current else ""
        self.query_one("#listing", Static).update(listing_line(state, facts))
        self.query_one("#current", Static).update(current_line(state, problem))

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
        if not faces:
            self.workbench.say("no face to trash")
        elif self._may_change():
            self._ask_to_trash(faces)

    def _ask_to_trash(self, faces: list[Face]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._change_files(lambda: face_folder.move_to_trash(self.side, faces), "to")

        text = trash_question(self.state, faces, self.side)
        self.app.push_screen(AskScreen("Move to the trash?", text, yes="Move"), answered)

    def action_restore(self) -> None:
        if self._is_pack():
            return
        folder = face_folder.newest_trash(self.side)
        if folder is None:
            self.workbench.say(f"nothing in {face_folder.trash_folder(self.side)} to bring back")
        else:
            self._change_files(lambda: face_folder.restore(self.side, folder), "back from")

    def _may_change(self) -> bool:
        """Never while a run writes this faceset, and never two at once; else that is said."""
        busy = self._writer
        if busy is None and any(w.group == "change" and not w.is_finished for w in self.workers):
            busy = "the last move"
        if busy is not None:
            self.workbench.say(f"{busy} is changing these faces; wait for it", severity="warning")
        return busy is None

    def _change_files(self, change: Callable[[], face_folder.Moved], direction: str) -> None:
        if self._may_change():
            self.run_worker(self._change(change, direction), group="change")

    async def _change(self, change: Callable[[], face_folder.Moved], direction: str) -> None:
        try:
            moved = await asyncio.to_thread(change)
        except FacewrightError as error:
            self.workbench.say(f"{error.message}; {error.remedy}", severity="error")
        else:
            self.workbench.say(moved_words(moved, direction))
        self._look_anew()

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
        self._limit(MARKED, lambda: frozenset(self.state.marks))

    def action_duplicates(self) -> None:
        workspace, side_name, faces = self.workbench.workspace, self.state.side, self.state.faces
        self._limit(DUPLICATES, lambda: near_duplicates(workspace, side_name, faces))

    def action_same_person(self) -> None:
        reference, faces = self.state.current, self.state.faces
        if reference is None:
            return
        workspace, side_name = self.workbench.workspace, self.state.side
        self._limit(
            PERSON, lambda: same_person(workspace, side_name, faces, reference), reference.name
        )

    def _limit(
        self, what: str, find: Callable[[], frozenset[FaceKey] | None], whose: str = ""
    ) -> None:
        """Show only what `find` gives; where it is shown already: all again."""
        if self.state.limit_label.startswith(what):
            self.state.limit_to(None)
            self.show()
        else:
            self.run_worker(self._find(what, find, whose), group="limit", exclusive=True)

    async def _find(
        self, what: str, find: Callable[[], frozenset[FaceKey] | None], whose: str
    ) -> None:
        try:
            keys = await asyncio.to_thread(find)
        except FacewrightError as error:
            self.workbench.say(f"{error.message}; {error.remedy}", severity="error")
            return
        if self.is_left:
            return
        if keys:
            self.state.limit_to(keys, f"{what} {whose}".rstrip())
            self.show()
        else:
            self._wants_identities = what == PERSON and keys is None
            words = none_found_words(what, is_known=keys is not None)
            self.workbench.say(words, severity="warning")

    # Other places

    def action_look(self) -> None:
        self.grid.forget_problems()
        self.query_one(FaceZoom).forget()
        self._look_anew()

    def action_masks(self) -> None:
        if not self._is_pack():
            current = self.state.current
            self.workbench.open_masks(self.state.side, current.name if current else "")

    def action_report(self) -> None:
        self.workbench.open_report(self.state.side)

    def action_other_side(self) -> None:
        self.workbench.open_faceset("dst" if self.state.side == "src" else "src")

    def action_form(self, stage_id: str) -> None:
        identity = {"identity": True} if stage_id == INDEX and self._wants_identities else {}
        self.workbench.open_form(stage_id, {"side": self.state.side, **identity})

    def action_back(self) -> None:
        """Out of what is innermost: the filter's line, range, zoom, filter, the screen."""
        if self.has_class("-filtering"):
            self._leave_filter()
        elif self.state.in_range:
            self.state.drop_range()
            self.show()
        elif self.zoomed:
            self.action_zoom()
        elif self._is_chosen:
            self._show_all()  # so does the next to look at these faces
            super().action_back()
        elif self.state.limit_label or self.state.filter_text:
            self._show_all()
        else:
            super().action_back()

    def _show_all(self) -> None:
        self.state.limit_to(None)
        self.state.filter_by("")
        self.query_one("#filter", Input).value = ""
        self.show()
