"""A real model, small enough to train in milliseconds, and loops around it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.models.quick96.model import Quick96
from engine.models.quick96.spec import QUICK96
from engine.nets.autoencoder import Architecture
from engine.protocol.options import complete_values
from engine.stages.train.run import running_options
from engine.train.crops import CropKind
from engine.train.feed import Feed
from engine.train.generations import Generations
from engine.train.history import HistoryWriter
from engine.train.loop import TrainingLoop
from engine.train.samples import Sampling
from engine.train.saver import Saver
from engine.train.sources import Sources

TINY_PX = 32
OPTIONS = complete_values(QUICK96.options, {"batch_size": 2})


class TinyQuick96(Quick96):
    """Quick96 with few channels."""

    @staticmethod
    def architecture(options) -> Architecture:
        letters = frozenset("ud")
        return Architecture("df", letters, TINY_PX, ae_dims=8, e_dims=4, d_dims=4, d_mask_dims=2)

    def sampling(self) -> Sampling:
        return Sampling(CropKind(FaceType.FULL, TINY_PX), self.options["batch_size"], scale=0.05)


def tiny_model(saved=None, *, seed=7):
    options = saved.manifest.options if saved else OPTIONS
    return TinyQuick96(options, seed=seed, dtype="float32", saved=saved)


def sources_for(root: Path, *, seed=7, threads=1, warn=None) -> Sources:
    """The workspace's facesets."""
    sides = [open_faceset(root / f"data_{side}" / "aligned") for side in ("src", "dst")]
    warn = warn or (lambda text, remedy: None)
    return Sources(*sides, seed=seed, limit_bytes=1 << 28, warn=warn, threads=threads)


def stream_for(root: Path, sampling: Sampling, *, seed=7, first=0, threads=1, warn=None):
    return sources_for(root, seed=seed, threads=threads, warn=warn).open(sampling, first)


@contextmanager
def tiny_loop(context, folder: Path, *, model=None, companions=()):
    """A loop over the workspace's facesets that goes on from the newest save in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    generations = Generations(folder)
    saved = generations.newest(context.warn)
    model = model or tiny_model(saved)
    with ExitStack() as things:
        history = things.enter_context(HistoryWriter(folder, model.iteration, ("src", "dst")))
        saver = things.enter_context(Saver(generations, model.iteration, context.warn))
        first = saved.manifest.drawn if saved else 0
        sources = sources_for(context.workspace.root)
        feed = things.enter_context(Feed(lambda _: sources, model.options, model.sampling(), first))
        yield TrainingLoop(
            context,
            model,
            feed,
            history,
            saver,
            model_folder=folder,
            model_class="tiny",
            running_options=running_options(QUICK96),
            companions=companions,
        )
