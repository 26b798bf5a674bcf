"""Reference material beside the checkout (golden numbers, media): there for developers only."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared_path(*parts: str) -> Path:
    """A file or folder of the reference material; skips the test, with the reason, without it."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference material {'/'.join(parts)} is not beside this checkout")
    return path
