"""What the screens of all runs share: one run is watched, steered, left to itself."""

from __future__ import annotations

from typing import Any

from engine.protocol.commands import Command, SetOptions, Stop
from engine.runtime.client import RunFolder
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.watch import RunWatch
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.running_options import RunningOptionsScreen, running_options
from tuiapp.widgets.run_summary import RunOutcome, stage_title

LOG_END_LINES = 4
_WHILE_LIVE = frozenset({"stop", "options"})


class WatchingScreen(FramedScreen):
    """Draws a `RunWatch`; several screens may draw the same one."""

    def __init__(self, watch: RunWatch) -> None:
        super().__init__()
        self.run_watch = watch
        self.place = stage_title(watch.view.stage)
        self._state_seen: ViewState | None = None

    @property
    def view(self) -> RunView:
        return self.run_watch.view

    @property
    def folder(self) -> RunFolder:
        return self.run_watch.folder

    def paint_state(self) -> None:
        """Show what has become of the run, once each time that changes."""
        view = self.view
        self.set_class(not view.state.live, "-ended")
        if view.state is self._state_seen:
            return
        self._state_seen = view.state
        log_end = self.folder.log_tail(LOG_END_LINES) if view.error else []
        self.query_one(RunOutcome).show(view, log_end)
        self.refresh_bindings()
        if view.error is not None and view.error.code == "confirmation-needed":
            self.workbench.replace_after_asking(self.run_watch)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        live = self.view.state.live
        if action == "options" and not running_options(self.view.stage, self.view.options):
            return False
        if action in _WHILE_LIVE:
            return live
        if action == "resume":
            return not live and self.view.state is not ViewState.DONE
        return True

    def action_stop(self) -> None:
        self.send(Stop(), "stopping; finished work is saved")

    def action_resume(self) -> None:
        self.workbench.start_stage(self.view.stage, dict(self.view.options))

    def action_edit(self) -> None:
        self.workbench.open_form(self.view.stage, dict(self.view.options))

    def action_options(self) -> None:
        screen = RunningOptionsScreen(self.view.stage, self.view.options)
        self.app.push_screen(screen, self._change)

    def _change(self, changed: dict[str, Any] | None) -> None:
        if changed:
            words = (f"{name.replace('_', ' ')} is now {value}" for name, value in changed.items())
            self.send(SetOptions(changed), ", ".join(words))

    def action_log(self) -> None:
        self.workbench.open_log(self.folder)

    def send(self, command: Command, said: str) -> None:
        self.workbench.send_command(self.folder, command, said)
