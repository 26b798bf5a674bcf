"""SAEHD's losses, each a vector of one number per sample. spec, training 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from engine.models.passes import Sides
from engine.nets.layers import Tensor
from engine.nets.losses import (
    believed_made,
    believed_real,
    blurred_outside,
    dssim,
    gaussian_blur,
    mean_square,
    soft_mask,
    style_distance,
    total_variation,
)

TWO_WINDOWS_FROM = 256  # pixels of resolution


@dataclass(frozen=True)
class Targets:
    """What a side's drawn faces are compared with. weight: how much each pixel counts under masked
    training, (n, R, R, 1)."""

    face: Tensor
    mask: Tensor
    weight: Tensor
    eyes_mouth: Tensor | None

    @classmethod
    def of(cls, side: Sides, options: Mapping[str, Any]) -> Targets:
        """A side's samples, prepared as the options say."""
        mask, face = side["mask"], side["target"]
        resolution = options["resolution"]
        if options["blur_out_mask"]:
            face = blurred_outside(face, mask, resolution)
        eyes_mouth = side["eyes_mouth"] if options["eyes_mouth_prio"] else None
        return cls(face, mask, soft_mask(mask, resolution), eyes_mouth)

    def counted(self, face: Tensor, options: Mapping[str, Any]) -> Tensor:
        """What counts of a face, the target or a drawn one."""
        return face * self.weight if options["masked_training"] else face


def drawing_loss(
    targets: Targets,
    face: Tensor,
    mask: Tensor,
    options: Mapping[str, Any],
    *,
    two_windows_from: int = TWO_WINDOWS_FROM,
) -> Tensor:
    """How far a drawn face and its mask are from their targets. two_windows_from: the resolution in
    pixels from which structure is compared at two sizes."""
    wanted, found = targets.counted(targets.face, options), targets.counted(face, options)
    resolution = options["resolution"]
    loss = _structure(wanted, found, resolution, two_windows=resolution >= two_windows_from)
    loss += 10 * mean_square(wanted, found)
    loss += 10 * mean_square(targets.mask, mask)
    if targets.eyes_mouth is not None:
        off = (targets.face - face) * targets.eyes_mouth
        loss += 300 * ops.mean(ops.abs(off), axis=(1, 2, 3))
    return loss


def _structure(wanted: Tensor, found: Tensor, resolution: int, *, two_windows: bool) -> Tensor:
    coarse = int(resolution / 11.6)
    if not two_windows:
        return 10 * dssim(wanted, found, coarse)
    return 5 * dssim(wanted, found, coarse) + 5 * dssim(wanted, found, int(resolution / 23.2))


def face_style_loss(
    swap: Tensor, swap_mask: Tensor, dst_face: Tensor, dst_mask: Tensor, options: Mapping[str, Any]
) -> Tensor:
    """How far the swapped face is from the drawn dst face in colour and contrast, within masks.
    Only `swap` is taught; it must not depend on the encoder."""
    content = swap * ops.stop_gradient(swap_mask)
    style = ops.stop_gradient(dst_face * dst_mask)
    power = options["face_style_power"] / 100
    return 10_000 * power * style_distance(content, style, options["resolution"] // 8)


def background_style_loss(
    swap: Tensor, dst_target: Tensor, background: Tensor, options: Mapping[str, Any]
) -> Tensor:
    """How far the swapped face's surroundings are from those of the dst face. background: how much
    each pixel belongs to them, (n, R, R, 1)."""
    background = ops.stop_gradient(background)
    found, wanted = swap * background, dst_target * background
    power = 10 * options["bg_style_power"] / 100
    window = int(options["resolution"] / 11.6)
    return power * (dssim(found, wanted, window) + mean_square(found, wanted))


def background_seen(swap_mask: Tensor, dst_mask: Tensor, resolution: int) -> Tensor:
    """Where neither decoder sees a face in the dst picture. (The original takes the src sample's
    mask by mistake: trap T2.)"""
    blurred = gaussian_blur(swap_mask * dst_mask, max(1, resolution // 32))
    return 1 - ops.clip(blurred, 0, 1)


def true_face_loss(src_logits: Tensor, options: Mapping[str, Any]) -> Tensor:
    """What the encoder and inter lower: src codes that pass as dst ones."""
    return options["true_face_power"] * believed_real(src_logits)


def code_judge_loss(src_logits: Tensor, dst_logits: Tensor) -> Tensor:
    """What the code discriminator lowers: to tell src codes from dst codes."""
    return (believed_real(dst_logits) + believed_made(src_logits)) / 2


Judged = tuple[Tensor, Tensor]  # logits of patches and of pixels


def gan_loss(judged: Judged, targets: Targets, face: Tensor, options: Mapping[str, Any]) -> Tensor:
    """What the drawing nets lower: drawn faces that pass as real. Under masked training the
    outside, which nothing else holds, is kept smooth and near its target."""
    of_patches, of_pixels = judged
    loss = options["gan_power"] * (believed_real(of_patches) + believed_real(of_pixels))
    if options["masked_training"]:
        outside = 1 - targets.weight
        loss += 1e-6 * total_variation(face)
        loss += 0.02 * mean_square(face * outside, targets.face * outside)
    return loss


def gan_judge_loss(real: Judged, drawn: Judged) -> Tensor:
    """What the discriminator lowers: to tell drawn faces from real ones."""
    halves = [
        believed_real(of_real) + believed_made(of_drawn)
        for of_real, of_drawn in zip(real, drawn, strict=True)
    ]
    return (halves[0] + halves[1]) / 2
