"""The stage `merge-session`: looks are set while one sees them, frames rendered meanwhile."""

from __future__ import annotations

from functools import partial

from engine.merge.face_nets import FaceNets
from engine.models.classes import model_spec
from engine.models.predictor import load_predictor
from engine.protocol.dfm_files import has_morph_factor
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
        face_type=options["face_type"],
        warn=context.warn,
    )
    load_xseg = partial(load_segmenter, context, predictor.face_type)
    spec = model_spec(options["model_class"])
    morphs = has_morph_factor(context.workspace, options["model"], spec)
    nets = FaceNets(predictor, partial(load_enlarger, context), load_xseg, morphs)
    with open_session(context, frames, nets) as session:
        session.run()
    context.result(**session.facts())
