"""AMP's losses beside SAEHD's, each a vector of one number per sample. spec, training 10.3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.models.saehd.losses import Judged, Targets, gan_judge_loss, gan_loss
from engine.nets.layers import Tensor
from engine.nets.losses import believed_real, mean_square, total_variation


def surroundings_loss(dst: Targets, face: Tensor) -> Tensor:
    """How far a drawn dst face is from its target outside the mask, and how restless there: it
    shows where a morphed face is blended."""
    outside = 1 - dst.weight
    found = face * outside
    loss = 0.1 * mean_square(found, dst.face * outside)
    return loss + 1e-6 * total_variation(found)


def gan_loss_of_both(
    src_judged: Judged,
    dst_judged: Judged,
    src: Targets,
    src_face: Tensor,
    options: Mapping[str, Any],
) -> Tensor:
    """What encoder and decoder lower: drawn faces of both sides that pass as real."""
    of_patches, of_pixels = dst_judged
    loss = gan_loss(src_judged, src, src_face, options)
    return loss + options["gan_power"] * (believed_real(of_patches) + believed_real(of_pixels))


def gan_judge_loss_of_both(src: tuple[Judged, Judged], dst: tuple[Judged, Judged]) -> Tensor:
    """What the discriminator lowers, by what it says of (real, drawn) faces of either side: the
    mean of its eight answers' losses."""
    return (gan_judge_loss(*src) + gan_judge_loss(*dst)) / 4
