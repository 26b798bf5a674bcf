"""Run all benchmarks, or those named: `python -m tests.bench [start] [stages] [pieces] [browse]
[facesets] [sorting] [extraction] [rendering] [signing] [training]
[learning] [merge] [dfm] [merge-keys] [manual-keys] [mask-keys] [accuracy] [counts] [masks] [xseg]`.

Machines are shared and noisy: compare ratios of one run, not seconds of two.
"""

from __future__ import annotations

import os
import sys

from tests.bench import (
    accuracy,
    browse,
    counts,
    extraction,
    facesets,
    keys,
    learning,
    manual_keys,
    mask_keys,
    masks,
    merging,
    pieces,
    ready_models,
    rendering,
    signing,
    sorting,
    stages,
    start,
    training,
    xseg,
)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


BENCHES = {
    "start": start.measure,
    "stages": stages.measure,
    "pieces": pieces.measure,
    "browse": browse.measure,
    "facesets": facesets.measure,
    "sorting": sorting.measure,
    "extraction": extraction.measure,
    "rendering": rendering.measure,
    "signing": signing.measure,
    "training": training.measure,
    "learning": learning.measure,
    "merge": merging.measure,
    "dfm": ready_models.measure,
    "merge-keys": keys.measure,
    "manual-keys": manual_keys.measure,
    "mask-keys": mask_keys.measure,
    "accuracy": accuracy.measure,
    "counts": counts.measure,
    "masks": masks.measure,
    "xseg": xseg.measure,
}
_ONLY_WHEN_NAMED = {"counts", "learning", "masks"}  # take a quarter of an hour and more


def main() -> None:
    wanted = sys.argv[1:] or [name for name in BENCHES if name not in _ONLY_WHEN_NAMED]
    if not set(wanted) <= set(BENCHES):
        sys.exit(f"there are: {' '.join(BENCHES)}")
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    sys.stdout.write(f"{cores} CPU cores, load {load:.1f} before\n")
    for name in wanted:
        for row in BENCHES[name]():
            sys.stdout.write(row if isinstance(row, str) else "{:58} {:9.2f} {}\n".format(*row))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
