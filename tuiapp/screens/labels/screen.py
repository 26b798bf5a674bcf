"""A label session's window: the face, what is drawn on it, its neighbours, the keys that help."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal

from engine.protocol.events import AnyEvent, LabelsStrip
from engine.protocol.label_commands import Suggestion
from tuiapp.bridge.label_desk import Among, LabelDesk, with_strip
from tuiapp.bridge.label_words import hint_words, pencil_words, where_words
from tuiapp.bridge.watch import RunWatch
from tuiapp.graphics import textual_hooks
from tuiapp.keymap import bindings
from tuiapp.screens.labels.sight import STEP_WORDS, FaceSightScreen
from tuiapp.screens.session import Leaving
from tuiapp.widgets.canvas import Canvas
from tuiapp.widgets.canvas_sight import XY
from tuiapp.widgets.label_layers import layers_of
from tuiapp.widgets.neighbour_strip import NeighbourStrip
from tuiapp.widgets.run_summary import RunOutcome
from tuiapp.widgets.words import Words

STRIP_FACES = 9  # DeepFaceLab's
# What a press means lies this near: DeepFaceLab's 8 pixels of the screen; more where the mouse
# tells only its cell, which is some 10 by 20.
PICK_PX, PICK_BY_CELL_PX = 8.0, 14.0
# Less, and the face itself needs the room.
STRIP_FROM_CELLS = (100, 34)


class LabelScreen(FaceSightScreen):
    """Draws a label session; several may draw the same one."""

    CSS_PATH = "labels.tcss"
    BINDINGS = bindings("mask")
    context = "mask"
    leaving = Leaving(
        title="Leave the masks?",
        text="Every label is saved as it is drawn, also a polygon that is only begun.",
        ended="the session ends; all of it is saved",
    )
    desk: LabelDesk

    def __init__(self, watch: RunWatch, desk: LabelDesk) -> None:
        super().__init__(watch, desk)
        self._told_face = desk.shown  # the last time that something was told
        self._wants_strip: bool | None = None

    def body(self) -> ComposeResult:
        yield RunOutcome()
        with Horizontal(id="desk"):
            yield Canvas()
            yield Words(id="hints")
        yield NeighbourStrip()
        yield Words(id="pencil")
        yield Words(id="where")

    def on_mount(self) -> None:
        self._fit_to_terminal()

    def _fit_to_terminal(self) -> None:
        """Neighbours are shown where there is room, unless a key said otherwise."""
        columns, rows = STRIP_FROM_CELLS
        has_room = self.app.size.width >= columns and self.app.size.height >= rows
        self.set_class(has_room if self._wants_strip is None else self._wants_strip, "-strip")

    def show_told(self, event: AnyEvent) -> None:
        if self.desk.shown is not self._told_face and self.desk.shown is not None:
            self.load_face(self.desk.shown)
        self._told_face = self.desk.shown
        if isinstance(event, LabelsStrip):
            labelled = frozenset(self.desk.labelled)
            self.query_one(NeighbourStrip).show(event, event.face, labelled)

    # Drawing

    def redraw(self) -> None:
        canvas, desk = self.canvas, self.desk
        self.draw_picture(desk.pencil.drawing.polygons)
        layers = layers_of(desk.pencil, self.look, canvas.cursor_xy, self.outside)
        canvas.set_layers(layers if self.look.view == "face" else [])
        self._draw_words(canvas)

    def _draw_words(self, canvas: Canvas) -> None:
        desk = self.desk
        where = where_words(desk, self.view, canvas.sight.zoom, canvas.cursor_xy)
        self.query_one("#where", Words).show(where)
        pencil = pencil_words(
            desk,
            step=STEP_WORDS[self.step],
            locked=canvas.locks_view,
            hidden=self.look.hidden,
        )
        self.query_one("#pencil", Words).show(pencil)
        self.query_one("#hints", Words).show(hint_words(desk.pencil, self._keys_of))

    def fit(self) -> None:
        """Have neighbours made for the room that there is now."""
        width, height = self.query_one(NeighbourStrip).box_px()
        faces = STRIP_FACES if width and self.has_class("-strip") else 0
        self.desk.look_with(with_strip(self.desk.view, faces, height))
        self._send_soon()

    def on_resize(self) -> None:
        self._fit_to_terminal()

    # The mouse

    def on_canvas_pressed(self, event: Canvas.Pressed) -> None:
        pencil, xy, radius = self.desk.pencil, event.xy, self._pick_radius()
        if event.button == 1:
            edits = event.ctrl
            self._shown(lambda: pencil.press(xy, radius, edits_points=edits))
        elif event.button == 3:
            self._shown(lambda: pencil.close() if pencil.is_drawing else pencil.deselect())

    def on_canvas_released(self, event: Canvas.Released) -> None:
        if event.button == 1:
            self._shown(self.desk.pencil.drop)

    def on_canvas_cursor_moved(self, event: Canvas.CursorMoved) -> None:
        """By keys, or by the mouse with a button held or not: what is held goes along."""
        if self.desk.pencil.held is not None:
            self.desk.pencil.drag(event.xy)
        self._wished()

    def on_canvas_wheel(self) -> None:
        self.redraw()

    def _pick_radius(self) -> float:
        is_exact = textual_hooks.has_pixel_mouse(self.app)
        return self.canvas.picture_px(PICK_PX if is_exact else PICK_BY_CELL_PX)

    # Keys: drawing

    def _shown(self, wish: Callable[[], None]) -> None:
        """Do it with the shown face, or the one that was gone to when it is shown."""
        self.desk.when_shown(wish)
        self._wished()

    def action_press(self) -> None:
        pencil, xy = self.desk.pencil, self.canvas.cursor_xy
        radius = self.canvas.picture_px(PICK_PX)
        self._shown(lambda: pencil.drop() if pencil.held is not None else pencil.press(xy, radius))

    def action_type(self, includes: bool) -> None:
        if not self.desk.pencil.is_drawing:
            self.desk.pencil.includes = includes
        self._wished()

    def action_undo(self) -> None:
        self.desk.undo()
        self._wished()

    def action_redo(self) -> None:
        self.desk.redo()
        self._wished()

    def action_delete(self) -> None:
        self._shown(self.desk.pencil.delete)

    def action_close(self) -> None:
        self._shown(self.desk.pencil.close)

    def action_turn(self) -> None:
        self._shown(self.desk.pencil.turn)

    def action_points(self) -> None:
        pencil = self.desk.pencil
        pencil.edits_points = pencil.selected is not None and not pencil.edits_points
        self._wished()

    def action_hold(self) -> None:
        if self.desk.pencil.held is not None:
            self._shown(self.desk.pencil.drop)
        else:
            self._to(lambda xy: self.desk.pencil.hold_nearest(xy))

    def action_insert(self) -> None:
        self._to(lambda xy: self.desk.pencil.insert_nearest(xy))

    def action_remove(self) -> None:
        xy = self.canvas.cursor_xy
        self._shown(lambda: self.desk.pencil.remove_nearest(xy))

    def action_step_point(self, direction: int) -> None:
        self._to(lambda xy: self.desk.pencil.step_point(xy, direction))

    def action_select(self, direction: int) -> None:
        self._to(lambda _: self.desk.pencil.select_next(direction))

    def _to(self, point_of: Callable[[XY], XY | None]) -> None:
        """Do something at the cursor, and take the cursor to the point that comes of it."""

        def act() -> None:
            point = point_of(self.canvas.cursor_xy)
            if point is not None:
                self.canvas.move_cursor_to(point)

        self._shown(act)

    def action_suggest(self, how: Suggestion) -> None:
        self.desk.suggest(how)
        self._wished()

    # Keys: faces

    def action_go_by(self, faces: int) -> None:
        self.desk.go_by(faces)
        self._wished()

    def action_go_among(self, among: Among, direction: int) -> None:
        if not self.desk.go_among(among, direction):
            where = "after" if direction > 0 else "before"
            self.workbench.say(f"no face that is {among} {where} this one")
        self._wished()

    def action_jump(self) -> None:
        if self.desk.faces:
            self._ask_where("Go to which face?", self.desk.faces)

    def action_trash(self) -> None:
        self.desk.trash()
        self._wished()

    def action_untrash(self) -> None:
        self.desk.untrash()
        self._wished()

    # Keys: the screen

    def action_strip(self) -> None:
        self._wants_strip = not self.has_class("-strip")
        self._fit_to_terminal()
        self.call_after_refresh(self.fit)

    def action_back(self) -> None:
        """Out of what is innermost: the point that is held, the selection, the screen."""
        pencil = self.desk.pencil
        if pencil.held is not None:
            self._shown(pencil.put_back)
        elif pencil.selected is not None:
            self._shown(pencil.deselect)
        else:
            super().action_back()
