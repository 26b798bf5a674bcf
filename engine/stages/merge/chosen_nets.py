"""The nets that a merging stage's options name."""

from __future__ import annotations

from functools import partial

from engine.merge.face_nets import FaceNets
from engine.models.classes import model_spec
from engine.models.predictor import load_predictor
from engine.protocol.dfm_files import has_morph_factor
from engine.protocol.look_options import MORPH_FACTOR
from engine.protocol.stage import StageContext
from engine.stages.merge.enlarger import load_enlarger
from engine.stages.merge.segmenter import load_segmenter


def chosen_nets(context: StageContext) -> FaceNets:
    """The model, loaded, and the loaders of the others. Raises `InputError` where the model is not
    there or cannot be used."""
    options = context.options
    name, spec = options["model"], model_spec(options["model_class"])
    predictor = load_predictor(
        context.workspace,
        name,
        spec.id,
        options["device"],
        face_type=options["face_type"],
        warn=context.warn,
    )
    morphs = has_morph_factor(context.workspace, name, spec)
    if not morphs and options.get(MORPH_FACTOR.name, MORPH_FACTOR.default) != MORPH_FACTOR.default:
        context.warn(
            f"{name} has no morph factor: {MORPH_FACTOR.flag} is not used",
            "leave it out, or merge with an AMP model",
        )
    load_xseg = partial(load_segmenter, context, predictor.face_type)
    return FaceNets(predictor, partial(load_enlarger, context), load_xseg, morphs, spec.id)
