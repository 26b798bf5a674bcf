"""A `StageContext` for tests: runs stages in this process and records what they report."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import catalog
from engine.protocol.commands import Command
from engine.protocol.errors import Stopped
from engine.protocol.events import Event
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace


@dataclass
class RecordingContext:
    """Implements `engine.protocol.stage.StageContext`. Set `stop_after` to stop at that `done`."""

    workspace: Workspace
    options: Mapping[str, Any]
    run_dir: Path
    confirmed: bool = False
    stop_after: int | None = None
    stop_requested: bool = False
    reported: list[tuple[int, int | None]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    rates_anew: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    loss_rows: list[tuple[int, tuple[float, ...]]] = field(default_factory=list)
    saves: list[int] = field(default_factory=list)
    previews: list[tuple[str, Path, int]] = field(default_factory=list)
    changed_options: dict[str, object] = field(default_factory=dict)
    queue: list[Command] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    unwatched: float = 0.0
    woken: threading.Event = field(default_factory=threading.Event)

    def check_stop(self) -> None:
        if self.stop_requested:
            raise Stopped

    def progress(
        self,
        done: int,
        total: int | None,
        *,
        unit: str = "frames",
        note: str = "",
        skipped: int = 0,
        figures: Mapping[str, float] | None = None,
        rate_anew: bool = False,
    ) -> None:
        self.figures = dict(figures or {})
        self.rates_anew += [done] if rate_anew else []
        self.reported.append((done, total))
        if self.stop_after is not None and done - skipped >= self.stop_after:
            self.stop_requested = True

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str, remedy: str = "") -> None:
        self.warnings.append(text)
        self.remedies.append(remedy)

    def result(self, **facts: str | int | float | bool | None) -> None:
        self.facts.update(facts)

    def losses(self, iteration: int, step_ms: float, values: tuple[float, ...]) -> None:
        self.loss_rows.append((iteration, values))

    def saved(self, iteration: int, path: Path) -> None:
        self.saves.append(iteration)

    def preview(self, page: str, path: Path, iteration: int) -> None:
        self.previews.append((page, path, iteration))

    def option_changed(self, name: str, value: object) -> None:
        self.changed_options[name] = value

    def commands(self) -> list[Command]:
        queue, self.queue = self.queue, []
        return queue

    def wait_for_commands(self, timeout_s: float) -> list[Command]:
        if not self.queue:
            self.woken.wait(timeout_s)
        self.woken.clear()
        return self.commands()

    def wake(self) -> None:
        self.woken.set()

    def unwatched_s(self) -> float:
        return self.unwatched

    def tell(self, event: Event, to: int | None = None) -> None:
        self.told.append(event)

    def map_in_processes(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        processes: int,
        initializer: Callable[..., None] | None = None,
        initargs: tuple[object, ...] = (),
    ) -> Iterator[Any]:
        if initializer:
            initializer(*initargs)
        for item in items:
            self.check_stop()
            yield function(item)


def context_for(root: Path, stage_id: str, *, confirmed: bool = False, **given: Any) -> Any:
    """A context for the stage with `given` options completed by the spec's defaults."""
    spec = catalog.stage(stage_id)
    values = complete_values(catalog.options_of(spec, given.get("model_class")), given)
    run_dir = root / ".facewright" / "runs" / "test"
    run_dir.mkdir(parents=True, exist_ok=True)
    return RecordingContext(Workspace(root), values, run_dir, confirmed)
