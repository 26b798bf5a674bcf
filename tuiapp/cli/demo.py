"""`facewright demo [DIR]`: from nothing to a swapped clip, by the same stages that users run."""

from __future__ import annotations

import shlex
import sys
from datetime import date
from pathlib import Path

from engine.protocol.consent_judgement import UNSTATED, judge_workspace
from engine.protocol.errors import EXIT_DONE, UsageError
from engine.protocol.survey import survey
from engine.protocol.workspace import Workspace, make_folder
from tuiapp.cli.arguments import Switches, read_switches
from tuiapp.cli.run import run

# Minutes of training that fit, with everything else, into a quarter of an hour on two CPU cores.
_TRAIN_MINUTES = 11.0
_USAGE = "facewright demo [DIR] [--train-minutes N] [--json]"
_PLAN: tuple[tuple[str, ...], ...] = (
    ("video-extract", "--side", "src", "--format", "jpg"),
    ("video-extract", "--side", "dst"),
    ("faces-extract", "--side", "src", "--face-type", "f"),
    ("faces-extract", "--side", "dst", "--face-type", "f"),
)


def demo(words: list[str]) -> int:
    """Make (or go on with) the demo workspace; `--train-minutes N` sets how long it trains."""
    switches, minutes = _arguments(words)
    workspace = switches.workspace
    make_folder(workspace.root)
    steps: list[tuple[str, ...]] = [] if _has_clips(workspace) else [("demo-media",)]
    steps += [*_PLAN, ("train", "--max-minutes", f"{minutes:g}", "--precision", "auto")]
    steps += [("merge",), ("video-render", "--yes", *_draft(workspace))]
    for number, step in enumerate(steps, start=1):
        _announce(number, len(steps), step)
        status = run([*step, "-w", str(workspace.root), *(["--json"] if switches.json else [])])
        if status != EXIT_DONE:
            return status
    _say_what_next(workspace)
    return EXIT_DONE


def _arguments(words: list[str]) -> tuple[Switches, float]:
    if any(word.partition("=")[0] in ("-w", "--workspace") for word in words):
        raise UsageError("demo takes its folder without -w", _USAGE)
    switches = read_switches(words, ("json",))
    rest, minutes = list(switches.rest), _TRAIN_MINUTES
    if "--train-minutes" in rest:
        at = rest.index("--train-minutes")
        try:
            minutes = float(rest[at + 1])
        except (IndexError, ValueError):
            raise UsageError("--train-minutes needs a number", "for example 9") from None
        del rest[at : at + 2]
    if len(rest) > 1 or (rest and rest[0].startswith("-")):
        raise UsageError(f"unexpected {rest[-1]!r}", _USAGE)
    switches.workspace = Workspace(Path(rest[0] if rest else "demo").expanduser().absolute())
    return switches, minutes


def _has_clips(workspace: Workspace) -> bool:
    return workspace.src.video() is not None and workspace.dst.video() is not None


def _draft(workspace: Workspace) -> tuple[str, ...]:
    """Clips that are not the demo's own have no consents but those of whoever put them there."""
    if not _has_clips(workspace):
        return ()
    judgements = judge_workspace(workspace, UNSTATED, date.today())
    return () if all(judgement.allows_final for judgement in judgements) else ("--draft",)


def _announce(number: int, count: int, step: tuple[str, ...]) -> None:
    sys.stderr.write(f"\n[{number}/{count}] facewright run {' '.join(step)}\n")


def _say_what_next(workspace: Workspace) -> None:
    found = survey(workspace)
    result = workspace.root / (found.results[0].name if found.results else "result.mp4")
    iterations = found.models[0].iteration if found.models else 0
    folder = shlex.quote(str(workspace.root))
    sys.stderr.write(
        f"\nThe swapped clip: {result} ({iterations} iterations of training)\n"
        f"Open it in the workbench: facewright {folder}\n"
        f"More training goes on where this stopped: facewright demo {folder}\n"
    )
