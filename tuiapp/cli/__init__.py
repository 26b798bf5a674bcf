"""The `facewright` command: opens the workbench, or works without it.

Answers at once: it imports only the catalog and the client side of runs until a command needs more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from engine.protocol.errors import EXIT_DONE, EXIT_STOPPED, FacewrightError, UsageError
from tuiapp.bridge.wording import plain_text

# Command -> "module:function" taking the command's arguments; resolved when called.
COMMANDS: dict[str, str] = {
    "demo": "tuiapp.cli.demo:demo",
    "stages": "tuiapp.cli.listing:stages",
    "goals": "tuiapp.cli.goals:goals",
    "run": "tuiapp.cli.run:run",
    "runs": "tuiapp.cli.listing:runs",
    "attach": "tuiapp.cli.run:attach",
    "stop": "tuiapp.cli.run:stop",
    "log": "tuiapp.cli.listing:log",
    "replay": "tuiapp.cli.run:replay",
    "show": "tuiapp.cli.pictures:show",
    "verify": "tuiapp.cli.verify:verify",
    "doctor": "tuiapp.cli.doctor:doctor",
}

HELP = """\
Facewright: a terminal workbench for face replacement in video.

  facewright [WORKSPACE]                    open the workbench (default: this folder)
  facewright demo [DIR] [--train-minutes N] make a demo workspace, from two videos to a result
  facewright stages [STAGE] [--json]        list the stages, or one stage's options
  facewright goals [GOAL] [--gpu-gib N] [--json]
                                            what to set for what one wants, on this device
  facewright run STAGE -w DIR [--option VALUE ...] [--goal GOAL] [--yes] [--json] [--detach]
                                            run a stage; --yes: replace what is there (it goes to
                                            the workspace's trash), --detach: do not wait for it,
                                            --goal: what it sets, where no option says otherwise
  facewright runs -w DIR [--json]           list runs
  facewright attach [RUN] -w DIR [--json]   follow a run (the newest if RUN is not given)
  facewright stop [RUN] -w DIR              save and stop
  facewright log [RUN] -w DIR               what the run's libraries printed
  facewright replay JOURNAL [--speed N]     play a run's journal as if it were running
  facewright show PICTURE                   show a picture in this terminal
  facewright verify FILE [--trust PEM] [--json]
                                            what a file says of how it was made (C2PA), and
                                            whether that holds: exit status 0 yes, 5 yes but the
                                            signer is not trusted, 6 no, 7 it says nothing
  facewright doctor [--json]                check GPU, terminal, tmux, codecs, disk, versions

Without -w DIR the current folder is the workspace. `facewright run STAGE --help` lists the
stage's options.

Exit status: 0 done, 2 bad usage or option, 3 input missing or unreadable, 4 failed,
130 stopped by the user with all work saved.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _print_what_can_be_shown()
    try:
        return _dispatch(words)
    except FacewrightError as error:
        complain(error)
        return error.exit_status
    except BrokenPipeError:  # `facewright ... | head`
        sys.stderr.close()
        return EXIT_DONE
    except KeyboardInterrupt:
        return EXIT_STOPPED


def _print_what_can_be_shown() -> None:
    """Characters that the terminal's character set does not have become question marks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _dispatch(words: list[str]) -> int:
    if _wants_help(words):
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
    if words and not Path(words[0]).expanduser().exists():
        _refuse_misspelt(words[0])
    return int(import_module("tuiapp.cli.workbench").open_workbench(words))


def _wants_help(words: list[str]) -> bool:
    """`run STAGE --help` is left to `run`: it describes the stage."""
    if words and words[0] in COMMANDS and words[0] != "run":
        return bool({"-h", "--help"} & set(words[1:]))
    return bool(words) and words[0] in ("-h", "--help", "help")


def _refuse_misspelt(word: str) -> None:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, n=2)
    if near:
        meant = " or ".join(f"`facewright {command}`" for command in near)
        raise UsageError(f"no command and no folder {word!r}", f"did you mean {meant}?")


def complain(error: FacewrightError) -> None:
    """What was wrong and what to do, on stderr."""
    sys.stderr.write(f"facewright: {plain_text(error.message)}\n")
    if error.remedy:
        sys.stderr.write(f"  -> {plain_text(error.remedy)}\n")
