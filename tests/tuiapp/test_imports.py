from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROBE = """
import asyncio, json, sys
from pathlib import Path
from engine.protocol.workspace import Workspace
from tuiapp.app import FacewrightApp

async def first_paint():
    app = FacewrightApp(Workspace(Path(sys.argv[1])))
    async with app.run_test() as pilot:
        await pilot.pause()
        print(json.dumps(sorted(sys.modules)))

asyncio.run(first_paint())
"""
NEVER = {"tensorflow", "keras", "cv2", "dlib", "av", "scipy", "torch"}
NOT_YET = {"numpy", "PIL"}  # pictures bring them, after the first paint


def test_opening_the_workbench_loads_nothing_heavy(tmp_path: Path) -> None:
    """So that it paints in well under a second, and never starts TensorFlow."""
    probe = [sys.executable, "-c", PROBE, str(tmp_path)]
    root = Path(__file__).parents[2]
    found = subprocess.run(probe, capture_output=True, text=True, check=True, cwd=root)
    modules = set(json.loads(found.stdout))
    assert not modules & (NEVER | NOT_YET)


def test_no_module_of_the_app_imports_anything_heavy_at_all() -> None:
    folder = Path(__file__).parents[2] / "tuiapp"
    for path in folder.rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if len(words) > 1 and words[0] in ("import", "from"):
                assert words[1].split(".")[0] not in NEVER, f"{path}: {line}"
