"""Moving through the faces of one side, by keys and by mouse."""

from __future__ import annotations

from textual import events

from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.screens.framed import FramedScreen
from tuiapp.widgets.face_grid import FaceGrid


class FaceMovingScreen(FramedScreen):
    """A screen with a `FaceGrid`. Subclasses give `show`."""

    def __init__(self, state: FacesetList) -> None:
        super().__init__()
        self.state = state

    @property
    def grid(self) -> FaceGrid:
        return self.query_one(FaceGrid)

    @property
    def zoomed(self) -> bool:
        return self.has_class("-zoomed")

    def show(self) -> None:
        """Bring everything that is seen in line with the state."""
        raise NotImplementedError

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

    def on_face_grid_unreadable(self) -> None:
        self.show()

    def on_face_grid_opened(self) -> None:
        self.action_zoom()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_row(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_row(-1)

    def action_tiles(self, steps: int) -> None:
        self.grid.resize_tiles(steps)

    def action_zoom(self) -> None:
        if self.state.current is not None:
            self.toggle_class("-zoomed")
            self.show()
