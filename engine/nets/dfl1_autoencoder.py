"""The face autoencoders of DeepFaceLab 1.0: H64, H128, DF, LIAEF128 and SAE. spec, training 15.

Faces are (n, R, R, 3) BGR 0..1. They are wired as `engine.nets.wiring` says; a `Layout`
says how wide each stage is. Every stage halves or doubles the side:

    encoder  R to R/16, four convolutions 5 x 5
    inter    two dense layers, R/16 to R/8
    decoder  R/8 to R, a branch for the face and one for its mask
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from keras import ops

from engine.nets.layers import (
    Convolution,
    Dense,
    Downscale,
    Residual,
    Tensor,
    Upscale,
    flatten_channel_major,
    leaky_relu,
    unflatten_channel_major,
)
from engine.nets.wiring import DecoderNet, EncoderNet, InterNet, WiredNets, sigmoid32

HEAD_TAPS = 5
Widths = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """What a 1.0 autoencoder looks like. `wiring` is df or liae, `resolution` divides by 16.

    code_units: of the dense layer in the middle. map_channels: of the R/16 map that is made of
    them. inter_channels: of that map enlarged. encoder, decoder, mask: channels of their stages;
    no mask stages, no mask. residuals: blocks behind each stage of the face. multiscale: the
    decoder draws smaller faces as well, for learning. aware: kernels start convolution-aware.
    """

    wiring: str
    resolution: int
    encoder: Widths
    code_units: int
    map_channels: int
    inter_channels: int
    decoder: Widths
    mask: Widths
    residuals: int = 0
    multiscale: bool = False
    aware: bool = False

    @property
    def decoder_channels_in(self) -> int:
        return self.inter_channels * (1 if self.wiring == "df" else 2)

    def make(self, *, dtype: str = "float32") -> Dfl1Autoencoder:
        """Nets like that."""
        return Dfl1Autoencoder(self, dtype=dtype)


class Dfl1Encoder(EncoderNet):
    """Faces to flat vectors, channel-major."""

    def __init__(self, layout: Layout, *, dtype: str) -> None:
        super().__init__()
        self.kernels_start_aware = layout.aware
        pairs = zip((3, *layout.encoder), layout.encoder, strict=False)
        self.steps = [
            self.add(f"down{i}", Downscale(one, other, leaky_relu(0.1), dtype=dtype))
            for i, (one, other) in enumerate(pairs, start=1)
        ]
        self.units_out = (layout.resolution // 16) ** 2 * layout.encoder[-1]

    def __call__(self, faces: Tensor) -> Tensor:
        x = faces
        for step in self.steps:
            x = self.through(step, x)
        return flatten_channel_major(x)


class Dfl1Inter(InterNet):
    """Flat vectors to a small feature map, through the narrow waist of `code_units`."""

    def __init__(self, layout: Layout, units_in: int, *, dtype: str) -> None:
        super().__init__()
        self.kernels_start_aware = layout.aware
        self.side, self.channels = layout.resolution // 16, layout.map_channels
        self.dense1 = self.add("dense1", Dense(units_in, layout.code_units, dtype=dtype))
        units = self.side**2 * self.channels
        self.dense2 = self.add("dense2", Dense(layout.code_units, units, dtype=dtype))
        up = Upscale(self.channels, layout.inter_channels, leaky_relu(0.1), dtype=dtype)
        self.upscale1 = self.add("upscale1", up)

    def __call__(self, flat: Tensor) -> Tensor:
        x = self.dense2(self.dense1(flat))
        return self.upscale1(unflatten_channel_major(x, self.side, self.channels))


class Dfl1Decoder(DecoderNet):
    """Codes to a face and its mask: two branches that share nothing."""

    def __init__(self, layout: Layout, *, dtype: str) -> None:
        super().__init__()
        self.kernels_start_aware = layout.aware
        self.resolution = layout.resolution
        self.upscales = self._add_stages("upscale", layout, layout.decoder, dtype)
        self.residuals = [
            [
                self.add(f"res{i}_{k}", Residual(width, leaky_relu(0.2), dtype=dtype))
                for k in range(layout.residuals)
            ]
            for i, width in enumerate(layout.decoder)
        ]
        drawing = range(len(layout.decoder))[0 if layout.multiscale else -1 :]
        self.heads = {
            i: self.add(f"out_conv{i}", _head(layout.decoder[i], 3, dtype)) for i in drawing
        }
        self.mask_upscales = self._add_stages("upscalem", layout, layout.mask, dtype)
        self.mask_head = None
        if layout.mask:
            self.mask_head = self.add("out_convm", _head(layout.mask[-1], 1, dtype))

    def _add_stages(self, name: str, layout: Layout, widths: Widths, dtype: str) -> list[Upscale]:
        pairs = zip((layout.decoder_channels_in, *widths), widths, strict=False)
        return [
            self.add(f"{name}{i}", Upscale(one, other, leaky_relu(0.1), dtype=dtype))
            for i, (one, other) in enumerate(pairs)
        ]

    def images(self, code: Tensor) -> list[Tensor]:
        """The face in all sizes that are drawn, the smallest first: (n, r, r, 3) BGR, float32,
        0..1."""
        x, drawn = code, []
        for i, upscale in enumerate(self.upscales):
            x = self.through(upscale, x)
            for residual in self.residuals[i]:
                x = self.through(residual, x)
            if i in self.heads:
                drawn.append(sigmoid32(self.heads[i](x)))
        return drawn

    def image(self, code: Tensor) -> Tensor:
        """(n, R, R, 3) BGR, float32 0..1."""
        return self.images(code)[-1]

    def mask(self, code: Tensor) -> Tensor:
        """(n, R, R, 1), float32 0..1; 1 everywhere for a model that learns no masks."""
        if self.mask_head is None:
            return ops.ones((ops.shape(code)[0], self.resolution, self.resolution, 1), "float32")
        x = code
        for upscale in self.mask_upscales:
            x = self.through(upscale, x)
        return sigmoid32(self.mask_head(x))


def _head(channels_in: int, channels_out: int, dtype: str) -> Convolution:
    return Convolution(channels_in, channels_out, HEAD_TAPS, dtype=dtype)


class Dfl1Autoencoder(WiredNets[Dfl1Encoder, Dfl1Inter, Dfl1Decoder]):
    """The nets of a `Layout`."""

    def __init__(self, layout: Layout, *, dtype: str = "float32") -> None:
        super().__init__(
            layout.wiring,
            Dfl1Encoder(layout, dtype=dtype),
            partial(Dfl1Inter, layout, dtype=dtype),
            partial(Dfl1Decoder, layout, dtype=dtype),
        )
        self.arch: Layout = layout
