"""`facewright show PICTURE`: a still picture in this terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.protocol.errors import EXIT_DONE, UsageError


def show(words: list[str]) -> int:
    """Print the picture by the best way the terminal has."""
    if len(words) != 1:
        raise UsageError("show needs one picture", "for example: facewright show preview.jpg")
    from tuiapp.graphics.probe import probe_terminal
    from tuiapp.graphics.show import show_picture
    from tuiapp.settings import load_settings

    show_picture(Path(words[0]), sys.stdout, probe_terminal(load_settings().graphics))
    return EXIT_DONE
