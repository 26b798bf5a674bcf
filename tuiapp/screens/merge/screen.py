"""A merge session's window: the frame, its settings, all frames on a line; DeepFaceLab's keys."""

from __future__ import annotations

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Static

from engine.protocol.events import AnyEvent, MergeShown, MergeStrip
from engine.protocol.look_presets import LOOK_PRESETS
from engine.protocol.merge_commands import MergeView, Zoom
from tuiapp.bridge import merge_sight
from tuiapp.bridge.merge_desk import CopyTo, MergeDesk, NameAction, ShotAction, morphs
from tuiapp.bridge.merge_words import where_words
from tuiapp.bridge.watch import RunWatch
from tuiapp.keymap import bindings
from tuiapp.screens.pick import ExplainedPickScreen, LineScreen, PickScreen
from tuiapp.screens.session import Leaving, SessionScreen
from tuiapp.widgets.merge_panel import MergePanel
from tuiapp.widgets.merge_picture import SessionPicture
from tuiapp.widgets.merge_timeline import MergeTimeline
from tuiapp.widgets.neighbour_strip import NeighbourStrip
from tuiapp.widgets.run_summary import RunOutcome

# Changes beside the picture and those under it are painted apart: in one repaint the toolkit draws
# all that lies between them, too, which is the picture in characters. Longer than a repaint takes
# to begin (1/60 s).
APART_S = 0.03
# Neighbours on each side of the shown frame; as many as a wide terminal has room for.
STRIP_FRAMES = 5
SHOT_ROWS = [
    ("start", "begin the shot with this look; its keys stay"),
    ("fill", "give this look to the whole shot"),
    ("cut", "a shot begins at this frame"),
    ("join", "no shot begins at this frame"),
]


class MergeScreen(SessionScreen):
    """Draws a merge session; several may draw the same one."""

    CSS_PATH = "merge.tcss"
    BINDINGS = bindings("merge")
    context = "merge"
    send_every_s = 0.03  # what a held key wants in between is folded
    leaving = Leaving(
        title="Leave the merge?",
        text="Every look is saved as it is set, every frame as it is rendered.",
        ended="the session ends; all of it is saved",
        goes_on="leave; the session goes on, its frames at hand",
    )
    desk: MergeDesk

    def __init__(self, watch: RunWatch) -> None:
        super().__init__(watch, MergeDesk())
        self._where = Content("")

    def body(self) -> ComposeResult:
        yield RunOutcome()
        with Horizontal(id="desk"):
            with Container():  # else it is drawn with all that changes beside it (`APART_S`)
                yield SessionPicture(id="picture")
            yield MergePanel(self.workbench.settings.keys)
        yield NeighbourStrip()
        yield MergeTimeline()
        yield Static("", id="where", markup=False)

    def show_told(self, event: AnyEvent) -> None:
        if isinstance(event, MergeShown):
            picture = self.query_one("#picture", SessionPicture)
            picture.show_file(event.path, event.width, event.height)
        elif isinstance(event, MergeStrip):
            self.query_one(NeighbourStrip).show(event, event.frame)

    # Drawing

    def run_changed(self) -> None:
        self.desk.has_morph_factor = morphs(self.workbench.workspace, self.view.options)
        super().run_changed()

    def redraw(self) -> None:
        desk, has_changed = self.desk, False
        if desk.look is not None or desk.shown is None:  # else the values before, for a moment
            panel = self.query_one(MergePanel)
            has_changed = panel.show(desk.rows, desk.look, desk.changed_field)
        if has_changed:
            self.set_timer(APART_S, self._draw_place)
        else:
            self._draw_place()

    def _draw_place(self) -> None:
        """What lies under the picture: which frame it is, what is done."""
        desk = self.desk
        self.query_one(MergeTimeline).show(desk.state, desk.frame, desk.sight.track)
        problem = self.query_one("#picture", SessionPicture).problem
        words = where_words(desk, self.view, problem)
        if not words.is_same(self._where):  # not !=, which compares no colours
            self._where = words
            self.query_one("#where", Static).update(words, layout=False)

    def fit(self) -> None:
        """Have pictures made for the room that there is now."""
        width, height = self.query_one("#picture", SessionPicture).box_px()
        if not width or not height:
            return
        strip_width, strip_height = self.query_one(NeighbourStrip).box_px()
        sight = replace(
            self.desk.sight,
            width=width,
            height=height,
            strip_frames=STRIP_FRAMES if strip_width else 0,
            strip_height=max(1, strip_height),
        )
        self._see(sight)

    # Keys: looks

    def action_step(self, field: str, steps: int) -> None:
        self.desk.step(field, steps)
        self._wished()

    def action_set(self, field: str, value: str) -> None:
        self.desk.set(field, value)
        self._wished()

    def action_cycle(self, field: str) -> None:
        self.desk.cycle(field)
        self._wished()

    def action_turn(self, field: str) -> None:
        self.desk.turn(field)
        self._wished()

    def action_undo(self) -> None:
        self.desk.undo()
        self._wished()

    def action_redo(self) -> None:
        self.desk.redo()
        self._wished()

    def action_copy(self, to: CopyTo) -> None:
        self.desk.copy(to)
        self._wished()

    # Keys: frames

    def action_go_by(self, frames: int) -> None:
        self.desk.go_by(frames)
        self._wished()

    def action_go_end(self, direction: int) -> None:
        self.desk.go_end(direction)
        self._wished()

    def action_go_key(self, direction: int) -> None:
        state = self.desk.state
        self.desk.go_among(sorted({key.frame for key in state.keys}) if state else [], direction)
        self._wished()

    def action_go_shot(self, direction: int) -> None:
        state = self.desk.state
        self.desk.go_among(list(state.shots) if state else [], direction)
        self._wished()

    def action_jump(self) -> None:
        if self.desk.state is not None:
            self._ask_where("Go to which frame?", self.desk.state.frames)

    def action_process(self) -> None:
        self.desk.process()
        self._wished()

    # Keys: how frames are seen

    def _see(self, sight: MergeView) -> None:
        self.desk.look_with(sight)
        self._send_soon()

    def action_alpha(self) -> None:
        self._see(merge_sight.turned_alpha(self.desk.sight))

    def action_view(self, direction: int) -> None:
        self._see(merge_sight.next_view(self.desk.sight, direction))

    def action_wipe(self, direction: int) -> None:
        self._see(merge_sight.wiped(self.desk.sight, direction))

    def action_zoom(self, zoom: Zoom) -> None:
        self._see(merge_sight.zoomed(self.desk.sight, zoom))

    def action_scale(self, steps: int) -> None:
        self._see(merge_sight.scaled(self.desk.sight, steps))

    def action_pan(self, dx: int, dy: int) -> None:
        if self.desk.shown is not None:
            self._see(merge_sight.panned(self.desk.sight, self.desk.shown, dx, dy))

    def action_track(self) -> None:
        self._see(merge_sight.next_track(self.desk.sight, self.desk.tracks))
        self.redraw()

    def action_strip(self) -> None:
        self.toggle_class("-strip")
        self.call_after_refresh(self.fit)

    def action_panel(self) -> None:
        self.toggle_class("-no-panel")
        self.call_after_refresh(self.fit)

    # Keys: the timeline

    def action_key(self) -> None:
        self.desk.turn_key()
        self._wished()

    def action_carry_key(self) -> None:
        self.desk.carry_key()
        self._wished()

    def action_goes_on(self) -> None:
        self.desk.turn_goes_on()
        self._wished()

    def action_shots(self) -> None:
        self.app.push_screen(PickScreen("The shot of this frame", SHOT_ROWS), self._do_shot)

    def _do_shot(self, action: str | None) -> None:
        actions: dict[str, ShotAction] = {
            "start": "start",
            "fill": "fill",
            "cut": "cut",
            "join": "join",
        }
        if action is not None:
            self.desk.shot(actions[action])
            self._wished()

    def action_looks(self) -> None:
        names = self.desk.state.names if self.desk.state else ()
        rows = [("save:", "keep this frame's look under a name ...")]
        rows += [(f"apply:{name}", f"take {name}") for name in names]
        rows += [(f"delete:{name}", f"delete {name}") for name in names]
        rows += [("preset:", "take one of DeepFaceLab 1.0's ...")]
        self.app.push_screen(PickScreen("Looks with names", rows), self._do_named)

    def _do_named(self, chosen: str | None) -> None:
        if chosen is None:
            return
        action, _, name = chosen.partition(":")
        if action == "save":
            asking = LineScreen("Keep the look as", "One with that name is replaced")
            self.app.push_screen(asking, lambda line: self._do_name("save", line))
        elif action == "preset":
            rows = [(preset.id, preset.id, preset.summary) for preset in LOOK_PRESETS]
            self.app.push_screen(
                ExplainedPickScreen("Looks of DeepFaceLab 1.0", rows), self._take_preset
            )
        else:
            self._do_name("apply" if action == "apply" else "delete", name)

    def _take_preset(self, id: str | None) -> None:
        for preset in LOOK_PRESETS:
            if preset.id == id:
                self.desk.take_preset(preset.changes)
                self._wished()

    def _do_name(self, action: NameAction, name: str | None) -> None:
        if name:
            self.desk.named(action, name)
            self._wished()
