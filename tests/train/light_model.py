"""A model of NumPy arrays, which knows no TensorFlow, and loops around it.

All its weights equal its iteration: so anyone can tell whether the files of a save belong together.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.models.quick96.spec import QUICK96
from engine.stages.train.spec import TRAIN
from engine.train.crops import CropKind
from engine.train.feed import Feed
from engine.train.generations import Generations
from engine.train.history import HistoryWriter
from engine.train.loop import TrainingLoop
from engine.train.samples import Sampling
from engine.train.saver import Saver
from engine.train.sources import Sources
from engine.train.trainable import StepResult

LIGHT_PX = 16


class LightModel:
    """Implements `engine.train.trainable.Trainable`; `floats` in each of its three files."""

    def __init__(self, saved=None, *, floats=1000):
        self.iteration = 0
        self.seed = 7
        self.options = {"batch_size": 2, "random_src_flip": False, "random_dst_flip": False}
        self.floats = floats
        self.traced = 0
        if saved:
            self.options = dict(saved.manifest.options)
            self.restore(saved)

    def sampling(self):
        return Sampling(CropKind(FaceType.FULL, LIGHT_PX), self.options["batch_size"], scale=0.05)

    def train_step(self, batches, loss_limit=float("inf")):
        batches.next()
        self.iteration += 1
        return StepResult((2 / self.iteration, 1 / self.iteration))

    def change_options(self, changes):
        self.options = {**self.options, **changes}

    def trace(self):
        self.traced += 1

    def restore(self, saved):
        self.iteration = saved.manifest.iteration
        assert whole_iteration(saved) == self.iteration

    def state(self):
        weights = np.full(self.floats, self.iteration, np.float32)
        return {stem: {"weight:0": weights.copy()} for stem in ("encoder", "decoder", "opt")}

    def preview_pages(self, batch):
        page = np.full((2 * LIGHT_PX, 3 * LIGHT_PX, 3), self.iteration % 256, np.uint8)
        page[:LIGHT_PX, :LIGHT_PX, 0] = batch.first
        return {"Light": page, "Light masked": page // 2}


def whole_iteration(saved):
    """The one value that all weights of a save have, which is its iteration."""
    values = {
        float(v) for file in saved.state.values() for t in file.values() for v in np.unique(t)
    }
    (value,) = values
    return int(value)


def _sources(context):
    sides = [open_faceset(side.aligned) for side in (context.workspace.src, context.workspace.dst)]
    return Sources(*sides, seed=7, limit_bytes=1 << 24, warn=context.warn, threads=1)


@contextmanager
def light_loop(context, folder: Path, *, companions=(), floats=1000):
    """A loop over the workspace's facesets that goes on from the newest save in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    generations = Generations(folder)
    generations.sweep()
    saved = generations.newest(context.warn)
    model = LightModel(saved, floats=floats)
    with ExitStack() as things:
        history = things.enter_context(HistoryWriter(folder, model.iteration, ("src", "dst")))
        saver = things.enter_context(Saver(generations, model.iteration, context.warn))
        sources = _sources(context)
        first = saved.manifest.drawn if saved else 0
        feed = things.enter_context(Feed(lambda _: sources, model.options, model.sampling(), first))
        yield TrainingLoop(
            context,
            model,
            feed,
            history,
            saver,
            model_folder=folder,
            model_class="light",
            running_options={row.name: row for row in (*TRAIN.options, *QUICK96.options)},
            companions=companions,
        )
