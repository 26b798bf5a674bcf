"""The `facewright` command: opens the workbench, or works without it.

Answers at once: it imports only the catalog and the client side of runs until a command needs more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from engine.protocol.errors import EXIT_DONE, FacewrightError, UsageError

# Command -> "module:function" taking the command's arguments; resolved when called.
COMMANDS: dict[str, str] = {
    "demo": "tuiapp.cli.demo:demo",
    "stages": "tuiapp.cli.listing:stages",
    "run": "tuiapp.cli.run:run",
    "runs": "tuiapp.cli.listing:runs",
    "attach": "tuiapp.cli.run:attach",
    "stop": "tuiapp.cli.run:stop",
    "log": "tuiapp.cli.listing:log",
    "replay": "tuiapp.cli.run:replay",
    "show": "tuiapp.cli.pictures:show",
    "doctor": "tuiapp.cli.doctor:doctor",
}

HELP = """\
Facewright: a terminal workbench for face replacement in video.

  facewright [WORKSPACE]                    open the workbench (default: this folder)
  facewright demo [DIR]                     make a demo workspace, from two videos to a result
  facewright stages [STAGE] [--json]        list the stages, or one stage's options
  facewright run STAGE -w DIR [--option VALUE ...] [--yes] [--json] [--detach]
  facewright runs -w DIR [--json]           list runs
  facewright attach [RUN] -w DIR [--json]   follow a run (the newest if RUN is not given)
  facewright stop [RUN] -w DIR              save and stop
  facewright log [RUN] -w DIR               what the run's libraries printed
  facewright replay JOURNAL [--speed N]     play a run's journal as if it were running
  facewright show PICTURE                   show a picture in this terminal
  facewright doctor [--json]                check GPU, terminal, tmux, codecs, disk, versions

Exit status: 0 done, 2 bad usage or option, 3 input missing or unreadable, 4 failed,
130 stopped by the user with all work saved.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(words)
    except FacewrightError as error:
        complain(error)
        return error.exit_status
    except BrokenPipeError:  # `facewright ... | head`
        sys.stderr.close()
        return EXIT_DONE


def _dispatch(words: list[str]) -> int:
    if words and words[0] in ("-h", "--help", "help"):
        sys.stdout.write(HELP)
        return EXIT_DONE
    if words and words[0] in ("-V", "--version"):
        from importlib.metadata import version

        sys.stdout.write(f"facewright {version('facewright')}\n")
        return EXIT_DONE
    if words and words[0] in COMMANDS:
        module, _, function = COMMANDS[words[0]].partition(":")
        return int(getattr(import_module(module), function)(words[1:]))
    if words and words[0].startswith("-"):
        raise UsageError(f"unknown option {words[0]}", "`facewright --help` lists the commands")
    return int(import_module("tuiapp.cli.workbench").open_workbench(words))


def complain(error: FacewrightError) -> None:
    """What was wrong and what to do, on stderr."""
    sys.stderr.write(f"facewright: {error.message}\n")
    if error.remedy:
        sys.stderr.write(f"  -> {error.remedy}\n")
