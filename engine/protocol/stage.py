"""What a stage's code may ask of the process that runs it.

Stages and everything under them see only this interface; `engine.runtime.host` implements it, and
tests implement it in a few lines (`tests/support/context.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from engine.protocol.commands import Command
from engine.protocol.events import Event
from engine.protocol.workspace import Workspace

Item = TypeVar("Item")
Result = TypeVar("Result")


class StageContext(Protocol):
    """One run, seen from the stage's code. All methods may be called from the main thread only,
    except `stop_requested`, `note`, `warn` and `wake`."""

    @property
    def workspace(self) -> Workspace: ...

    @property
    def options(self) -> Mapping[str, Any]:
        """Every option of the stage (and of its model class), complete and checked."""
        ...

    @property
    def confirmed(self) -> bool:
        """The user agreed that existing results may be moved to the trash."""
        ...

    @property
    def run_dir(self) -> Path:
        """The run's own folder, for previews and scratch files."""
        ...

    @property
    def stop_requested(self) -> bool: ...

    def check_stop(self) -> None:
        """Raise `Stopped` if the user asked for it. Call it between units of work (under 2 s)."""
        ...

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
        """Report progress as often as wanted; it is thinned. `skipped` of `done` were there before
        this run, and do not count for rate and ETA. figures: see `Progress`. rate_anew: the time
        until now says nothing about how fast work goes on."""
        ...

    def note(self, text: str) -> None:
        """A line worth keeping in the journal."""
        ...

    def warn(self, text: str, remedy: str = "") -> None:
        """Something the user should look at, which does not stop the run."""
        ...

    def result(self, **facts: str | int | float | bool | None) -> None:
        """Facts about what was made (counts, paths, rates), shown at the end of the run."""
        ...

    def losses(self, iteration: int, step_ms: float, values: tuple[float, ...]) -> None:
        """A training step was made: sent to viewers at once, not journalled (the model's history
        keeps all)."""
        ...

    def saved(self, iteration: int, path: Path) -> None:
        """A model generation is safely on disk."""
        ...

    def preview(self, page: str, path: Path, iteration: int) -> None:
        """A preview picture (JPEG or PNG under `run_dir`) is complete."""
        ...

    def option_changed(self, name: str, value: object) -> None:
        """An option was changed while running; viewers show the new value."""
        ...

    def commands(self) -> list[Command]:
        """Commands that arrived since the last call (save, preview, set option); stop is not
        among them: see `stop_requested`."""
        ...

    def wait_for_commands(self, timeout_s: float) -> list[Command]:
        """As `commands`, but waits until there is one, a stop is requested, `wake` is called or the
        time is over; then there may be none."""
        ...

    def unwatched_s(self) -> float:
        """How long no viewer has been connected, in seconds; 0 while there is one."""
        ...

    def wake(self) -> None:
        """Let `wait_for_commands` return at once; for other threads that have something done."""
        ...

    def tell(self, event: Event, to: int | None = None) -> None:
        """Send an event of a kind that is live only to the viewers, at once; `to`: only to that
        one (`ViewerCommand.sender`), if it is still there."""
        ...

    def map_in_processes(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        processes: int,
        initializer: Callable[..., None] | None = None,
        initargs: tuple[object, ...] = (),
    ) -> Iterator[Result]:
        """`function` over `items` in worker processes, results in order, a bounded number in
        flight. Libraries in the workers run one thread each. Stops early on a stop request (raises
        `Stopped`); a worker that dies raises `StageError`, an exception in `function` is re-raised.
        `processes` of 1 works in this process. Functions must be importable (module level)."""
        ...
