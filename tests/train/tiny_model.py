"""A real model, small enough to train in milliseconds, and loops around it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.models.quick96.model import Quick96
from engine.nets.autoencoder import Architecture
from engine.stages.train.spec import TRAIN
from engine.train.batches import BatchStream
from engine.train.crops import CropCache, CropKind
from engine.train.generations import Generations
from engine.train.history import HistoryWriter
from engine.train.loop import TrainingLoop
from engine.train.samples import Sampling, SideSamples
from engine.train.saver import Saver

TINY_PX = 32
OPTIONS = {"batch_size": 2, "random_src_flip": False, "random_dst_flip": False}


class TinyQuick96(Quick96):
    """Quick96 with few channels."""

    @staticmethod
    def architecture(options) -> Architecture:
        letters = frozenset("ud")
        return Architecture("df", letters, TINY_PX, ae_dims=8, e_dims=4, d_dims=4, d_mask_dims=2)

    def sampling(self) -> Sampling:
        return Sampling(CropKind(FaceType.FULL, TINY_PX), self.options["batch_size"], scale=0.05)


def tiny_model(saved=None, *, seed=7):
    return TinyQuick96(OPTIONS, seed=seed, dtype="float32", saved=saved)


def stream_for(root: Path, sampling: Sampling, *, seed=7, first=0, threads=1, warn=None):
    cache = CropCache(1 << 28)
    sides = [
        SideSamples(
            side,
            open_faceset(root / f"data_{side}" / "aligned"),
            sampling,
            seed=seed,
            cache=cache,
            warn=warn or (lambda text, remedy: None),
        )
        for side in ("src", "dst")
    ]
    return BatchStream(*sides, sampling.batch_size, first=first, threads=threads)


@contextmanager
def tiny_loop(context, folder: Path, *, model=None):
    """A loop over the workspace's facesets that goes on from the newest save in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    generations = Generations(folder)
    saved = generations.newest(context.warn)
    model = model or tiny_model(saved)
    with ExitStack() as things:
        history = things.enter_context(HistoryWriter(folder, model.iteration, ("src", "dst")))
        saver = things.enter_context(Saver(generations, model.iteration, context.warn))
        first = saved.manifest.drawn if saved else 0
        root = context.workspace.root
        batches = things.enter_context(stream_for(root, model.sampling(), first=first))
        yield TrainingLoop(
            context,
            model,
            batches,
            history,
            saver,
            model_folder=folder,
            model_class="tiny",
            running_options={option.name: option for option in TRAIN.options},
        )
