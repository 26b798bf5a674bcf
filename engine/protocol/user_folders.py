"""Where the user's own files lie that belong to no workspace."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def config_folder() -> Path:
    """`$XDG_CONFIG_HOME/facewright` (or the platform's place): settings, themes."""
    given = os.environ.get("XDG_CONFIG_HOME")
    return Path(given) / "facewright" if given else platformdirs.user_config_path("facewright")


def data_folder() -> Path:
    """`$XDG_DATA_HOME/facewright`: weights, and the certificate that results are signed with."""
    data_home = os.environ.get("XDG_DATA_HOME", "")
    # The XDG base directory specification: a relative path is to be ignored.
    base = Path(data_home) if data_home.startswith("/") else Path.home() / ".local" / "share"
    return base / "facewright"
