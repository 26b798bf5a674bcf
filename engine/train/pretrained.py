"""What is kept of a pretraining when it ends."""

from __future__ import annotations

import time

from engine.protocol.model_files import SNAPSHOTS, About
from engine.train.generations import Generations
from engine.train.save_folders import copy_save, forget_save

PRETRAINING_ENDED = "pretraining has ended; its last save is kept as a snapshot"


def keep_pretrained(generations: Generations) -> None:
    """Keep the last save of the pretraining as a snapshot and remove the others, the newest first:
    whenever this is broken off, what is left is gone on from in the same way. Iteration 0, of after
    the pretraining, stays. Raises `InputError` if the disk refuses."""
    saves = [number for number in generations.iterations() if number > 0]
    if not saves:
        return
    snapshot = generations.model_folder / SNAPSHOTS / f"pretrained-{saves[-1]:08d}"
    if not snapshot.exists():
        about = About(made_at=time.time(), note="the end of pretraining")
        copy_save(generations.path(saves[-1]), snapshot, about)
    for number in reversed(saves):
        forget_save(generations.path(number))
