"""The stage `merge-session`: looks are set while one sees them, frames rendered meanwhile."""

from __future__ import annotations

from functools import partial

from engine.merge.face_nets import FaceNets
from engine.models.classes import model_spec
from engine.models.predictor import load_predictor
from engine.protocol.stage import StageContext
from engine.stages.merge.enlarger import load_enlarger
from engine.stages.merge.plan import collect_jobs
from engine.stages.merge.segmenter import load_segmenter
from engine.stages.merge_session.opening import open_session


def run(context: StageContext) -> None:
    """Serve viewers until the run is stopped."""
    options = context.options
    frames = collect_jobs(context)
    predictor = load_predictor(
        context.workspace,
        options["model"],
        options["model_class"],
        options["device"],
        warn=context.warn,
    )
    load_xseg = partial(load_segmenter, context, predictor.face_type)
    morphs = model_spec(options["model_class"]).has_morph_factor
    nets = FaceNets(predictor, partial(load_enlarger, context), load_xseg, morphs)
    with open_session(context, frames, nets) as session:
        session.run()
    context.result(**session.facts())
