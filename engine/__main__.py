"""`python -m engine RUN_FOLDER`: execute one run.

The only place that sets TensorFlow's environment.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    from engine.runtime.host.host import execute, quiet_libraries

    quiet_libraries()
    if len(sys.argv) == 2 and sys.argv[1] == "--probe":
        from engine.runtime.host.probe import print_probe

        return print_probe()
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m engine RUN_FOLDER | --probe\n")
        return 2
    return execute(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
