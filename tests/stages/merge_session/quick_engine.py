"""`python -m tests.stages.merge_session.quick_engine RUN_FOLDER`: a session's engine whose model
knows nothing and is there at once; all else is real."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.runtime.host.host import execute
from engine.stages.merge import chosen_nets
from tests.merge.fakes import round_predictor

if __name__ == "__main__":
    chosen_nets.load_predictor = lambda *_, **__: round_predictor()  # type: ignore[assignment]
    sys.exit(execute(Path(sys.argv[1])))
