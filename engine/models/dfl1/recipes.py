"""What sets the models of DeepFaceLab 1.0 apart: their nets and what they compare, as data. spec,
training 15; what it leaves open is chosen here and said in `.docs/dfl1.md`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.models.dfl1.losses import mean_absolute
from engine.nets.dfl1_autoencoder import Layout
from engine.nets.layers import Tensor
from engine.nets.losses import mean_square

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """layout: the nets, by the options. face_type: what faces show (`FaceType.short`), "" where an
    option says it. mask_distance: of a drawn mask from its target, a number per sample.
    structure_blur, pixel_blur: outside of the mask nothing counts; its edge is blurred by the
    resolution divided by so much where structure, or pixels, are compared, 0 for not at all."""

    layout: Callable[[Options], Layout]
    face_type: str
    mask_distance: Callable[[Tensor, Tensor], Tensor] = mean_square
    structure_blur: int = 0
    pixel_blur: int = 64


_H64 = Layout(
    wiring="df",
    resolution=64,
    encoder=(128, 256, 512, 1024),
    code_units=1024,
    map_channels=1024,
    inter_channels=512,
    decoder=(512, 256, 128),
    mask=(256, 128, 64),
)
_H64_LIGHT = replace(
    _H64,
    encoder=(128, 256, 512, 768),
    code_units=512,
    map_channels=512,
    inter_channels=256,
    decoder=(256, 128, 64),
    mask=(128, 64, 32),
)
_H128 = replace(_H64, resolution=128, code_units=512, map_channels=512, mask=(512, 256, 128))
_H128_LIGHT = replace(
    _H128,
    code_units=256,
    map_channels=256,
    inter_channels=256,
    decoder=(256, 128, 64),
    mask=(256, 128, 64),
)
_LIAEF128 = replace(_H128, wiring="liae", code_units=256)


def _sae(options: Options) -> Layout:
    """Dimensions are per channel: a face has three, its mask one."""
    encoder, decoder = 3 * options["e_ch_dims"], 3 * options["d_ch_dims"]
    codes = options["ae_dims"] * (1 if options["archi"] == "df" else 2)
    return Layout(
        wiring=options["archi"],
        resolution=options["resolution"],
        encoder=_times(encoder, (1, 2, 4, 8)),
        code_units=options["ae_dims"],
        map_channels=codes,
        inter_channels=codes,
        decoder=_times(decoder, (8, 4, 2)),
        mask=_times(options["d_ch_dims"], (8, 4, 2)) if options["learn_mask"] else (),
        residuals=2,
        multiscale=options["multiscale_decoder"],
        aware=options["ca_weights"],
    )


def _times(dims: int, factors: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dims * factor for factor in factors)


def _full_or_light(full: Layout, light: Layout) -> Callable[[Options], Layout]:
    return lambda options: light if options["lighter_ae"] else full


# By the id of the model class.
RECIPES: dict[str, Recipe] = {
    "h64": Recipe(_full_or_light(_H64, _H64_LIGHT), "h", mean_absolute),
    "h128": Recipe(_full_or_light(_H128, _H128_LIGHT), "h", mean_absolute),
    "df": Recipe(lambda options: _H128, "f"),
    "liaef128": Recipe(lambda options: _LIAEF128, "f"),
    "sae": Recipe(_sae, "", structure_blur=32, pixel_blur=32),
}
