"""`facewright [WORKSPACE]`: open the app."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.protocol.errors import EXIT_DONE, UsageError
from engine.protocol.needs import check_needs
from engine.protocol.workspace import Workspace
from tuiapp.cli.arguments import no_more


def open_workbench(words: list[str]) -> int:
    """Open the workbench on a folder (the current one by default)."""
    no_more(words[1:])
    workspace = Workspace(Path(words[0] if words else ".").expanduser().absolute())
    check_needs(("workspace",), workspace, {})
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the workbench needs a terminal", "without one use `facewright run STAGE -w DIR`"
        )
    from tuiapp.app import FacewrightApp
    from tuiapp.graphics.probe import probe_terminal
    from tuiapp.settings import load_settings

    FacewrightApp(workspace, graphics=probe_terminal(load_settings().graphics)).run()
    return EXIT_DONE
