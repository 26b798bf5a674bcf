"""Which nets of a model can be made anew, and what for: published workflows as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# As at the beginning of a training: nets that know nothing yet learn from bent faces, and before
# anything judges or colours them. Options that a class does not have are left out.
_AT_FIRST: Mapping[str, Any] = {
    "random_warp": True,
    "lr_dropout": "n",
    "gan_power": 0.0,
    "true_face_power": 0.0,
    "face_style_power": 0.0,
    "bg_style_power": 0.0,
}
# liae moves inter_AB only while faces are bent: without that it would stay as random as it begins.
_BENT: Mapping[str, Any] = {"random_warp": True}


@dataclass(frozen=True)
class ModelReset:
    """One thing to do with a model.

    nets: those made anew, as far as the model has them; () means all. changes: options that are
    then set. begins_again: the plan starts with its first phase; from_zero: so does the iteration.
    """

    id: str
    title: str
    help: str
    nets: tuple[str, ...]
    changes: Mapping[str, Any] = field(default_factory=dict)
    begins_again: bool = False
    from_zero: bool = False

    def nets_among(self, present: Iterable[str]) -> tuple[str, ...]:
        """What would be made anew of a model with these nets."""
        return tuple(net for net in present if not self.nets or net in self.nets)


RESETS: tuple[ModelReset, ...] = (
    ModelReset(
        "new-dst",
        "Reuse on a new dst",
        "The same src is to be put into another video. What only dst has taught is made anew"
        " (inter_B of liae, inter_dst of AMP, else decoder_dst); what knows src stays. Training"
        " begins with bent faces and without GAN again.",
        ("inter_B", "inter_dst", "decoder_dst"),
        _AT_FIRST,
        begins_again=True,
    ),
    ModelReset(
        "new-faces",
        "Reuse on new src and dst",
        "Another pair of faces, as after pretraining: what tells people apart is made anew (every"
        " inter net), how to see and to draw a face stays. Training begins with bent faces and"
        " without GAN again.",
        ("inter", "inter_AB", "inter_B", "inter_src", "inter_dst"),
        _AT_FIRST,
        begins_again=True,
    ),
    ModelReset(
        "inter_AB",
        "inter_AB (RTM)",
        "What both faces share in liae. Models that are to swap any face (RTM) lose it every"
        " 500 000 iterations, so that it keeps nothing of one person's; the plan RTM does so by"
        " itself (model-plan --preset rtm). Faces are bent from then on, since it learns from"
        " nothing else.",
        ("inter_AB",),
        _BENT,
    ),
    ModelReset("inter_B", "inter_B", "What is dst's own in liae.", ("inter_B",)),
    ModelReset("inter", "inter", "The one inter net of df and Quick96.", ("inter",)),
    ModelReset("inter_src", "inter_src", "What is src's own in AMP.", ("inter_src",)),
    ModelReset("inter_dst", "inter_dst", "What is dst's own in AMP.", ("inter_dst",)),
    ModelReset("encoder", "Encoder", "What sees faces; the rest must follow it.", ("encoder",)),
    ModelReset(
        "decoders",
        "Decoders",
        "What draws faces: out of a collapse, or of colours that will not come right.",
        ("decoder", "decoder_src", "decoder_dst"),
    ),
    ModelReset("gan", "GAN", "The net that judges detail; it begins to learn anew.", ("GAN",)),
    ModelReset(
        "all",
        "Everything",
        "A new model with the same options: every net is made anew and the iteration starts at 0.",
        (),
        _AT_FIRST,
        begins_again=True,
        from_zero=True,
    ),
)


def reset_named(reset_id: str) -> ModelReset:
    """The row of that id. Raises `KeyError` for any other text."""
    return {reset.id: reset for reset in RESETS}[reset_id]


def resets_for(present: Iterable[str]) -> tuple[ModelReset, ...]:
    """Those that change anything of a model with these nets."""
    nets = tuple(present)
    return tuple(reset for reset in RESETS if reset.nets_among(nets))
