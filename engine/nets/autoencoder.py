"""The face autoencoder behind Quick96 and SAEHD: df and liae wiring, letters u, d, t, c.

spec, training 3. Faces are (n, R, R, 3) BGR 0..1. How the nets are wired: `engine.nets.wiring`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from engine.nets.layers import (
    Activation,
    Block,
    Convolution,
    Dense,
    Downscale,
    Residual,
    Tensor,
    Upscale,
    convolved_together,
    cosine_unit,
    depth_to_space,
    flatten_channel_major,
    leaky_relu,
    pixel_norm,
    unflatten_channel_major,
)
from engine.nets.wiring import (
    WIRINGS,
    DecoderNet,
    EncoderNet,
    InterNet,
    Step,
    WiredNets,
    sigmoid32,
)


@dataclass(frozen=True)
class Architecture:
    """What an autoencoder looks like. `wiring` is df or liae; `letters` a subset of u, d, t, c.

    u normalises the code (more likeness), d doubles the decoder's output side (cheaper pixels), t
    is deeper, c uses x * cos(x). `resolution` must divide by 16, with d or t by 32.
    """

    wiring: str
    letters: frozenset[str]
    resolution: int
    ae_dims: int
    e_dims: int
    d_dims: int
    d_mask_dims: int

    def __post_init__(self) -> None:
        if self.wiring not in WIRINGS or not self.letters <= set("udtc"):
            raise ValueError(f"architecture {self.wiring}-{''.join(sorted(self.letters))}")
        if self.resolution % (32 if self.letters & set("dt") else 16):
            raise ValueError(f"resolution {self.resolution} does not divide for {self.letters}")

    @property
    def normalised(self) -> bool:
        return "u" in self.letters

    @property
    def doubled(self) -> bool:
        return "d" in self.letters

    @property
    def deep(self) -> bool:
        return "t" in self.letters

    def activation(self, slope: float) -> Activation:
        return cosine_unit if "c" in self.letters else leaky_relu(slope)

    @property
    def code_side(self) -> int:
        """Side of the inter net's smallest feature map."""
        return self.resolution // (32 if self.doubled else 16)

    @property
    def decoder_side_in(self) -> int:
        """Side of what decoders read."""
        return self.code_side if self.deep else 2 * self.code_side

    @property
    def inter_channels(self) -> int:
        return self.ae_dims if self.wiring == "df" else 2 * self.ae_dims

    @property
    def decoder_channels_in(self) -> int:
        return self.ae_dims if self.wiring == "df" else 4 * self.ae_dims

    def make(self, *, dtype: str = "float32") -> Autoencoder:
        """Nets like that."""
        return Autoencoder(self, dtype=dtype)


class Encoder(EncoderNet):
    """See `EncoderNet`; with letter u the vectors are normalised."""

    def __init__(self, arch: Architecture, *, dtype: str) -> None:
        super().__init__()
        self.normalised = arch.normalised
        widths = [arch.e_dims * factor for factor in (1, 2, 4, 8, 8)]
        add_steps = self._add_deep if arch.deep else self._add_plain
        self.steps = add_steps(arch, widths, dtype)
        self.side = arch.resolution // (32 if arch.deep else 16)
        self.units_out = self.side**2 * widths[3]

    def _add_plain(self, arch: Architecture, widths: list[int], dtype: str) -> list[Step]:
        down1 = self.add("down1", Block())
        pairs = zip([3, *widths], widths[:4], strict=False)
        act = arch.activation(0.1)
        return [
            down1.add(f"downs_{i}", Downscale(channels_in, channels_out, act, dtype=dtype))
            for i, (channels_in, channels_out) in enumerate(pairs)
        ]

    def _add_deep(self, arch: Architecture, widths: list[int], dtype: str) -> list[Step]:
        down, res = arch.activation(0.1), arch.activation(0.2)
        steps: list[Step] = []
        for i, (channels_in, channels_out) in enumerate(
            zip([3, *widths], widths, strict=False), start=1
        ):
            steps.append(
                self.add(f"down{i}", Downscale(channels_in, channels_out, down, dtype=dtype))
            )
            if i in (1, 5):
                steps.append(self.add(f"res{i}", Residual(channels_out, res, dtype=dtype)))
        return steps

    def __call__(self, faces: Tensor) -> Tensor:
        x = faces
        for step in self.steps:
            x = self.through(step, x)
        flat = flatten_channel_major(x)
        return pixel_norm(flat) if self.normalised else flat


class Inter(InterNet):
    """See `InterNet`; the waist is `ae_dims` wide."""

    def __init__(self, arch: Architecture, units_in: int, *, dtype: str) -> None:
        super().__init__()
        self.side, self.channels = arch.code_side, arch.inter_channels
        self.dense1 = self.add("dense1", Dense(units_in, arch.ae_dims, dtype=dtype))
        units = self.side**2 * self.channels
        self.dense2 = self.add("dense2", Dense(arch.ae_dims, units, dtype=dtype))
        self.upscale1 = None
        if not arch.deep:
            up = Upscale(self.channels, self.channels, arch.activation(0.1), dtype=dtype)
            self.upscale1 = self.add("upscale1", up)

    def __call__(self, flat: Tensor) -> Tensor:
        x = unflatten_channel_major(self.dense2(self.dense1(flat)), self.side, self.channels)
        return self.upscale1(x) if self.upscale1 else x


class Decoder(DecoderNet):
    """See `DecoderNet`. Parts are added in the order of the weight files: stages of the image,
    residuals, stages of the mask, output convolutions, and with letter d the mask's last stage
    before its output.
    """

    def __init__(self, arch: Architecture, *, dtype: str) -> None:
        super().__init__()
        self.doubled = arch.doubled
        self.up, self.res = arch.activation(0.1), arch.activation(0.2)
        factors = (8, 8, 4, 2) if arch.deep else (8, 4, 2)
        widths = [arch.d_dims * factor for factor in factors]
        mask_widths = [arch.d_mask_dims * factor for factor in factors]
        channels_in = arch.decoder_channels_in
        self.upscales = self._add_stages("upscale", channels_in, widths, dtype)
        self.residuals = [
            self.add(f"res{i}", Residual(width, self.res, dtype=dtype))
            for i, width in enumerate(widths)
        ]
        self.mask_upscales = self._add_stages("upscalem", channels_in, mask_widths, dtype)
        self._add_heads(arch, widths[-1], mask_widths[-1], dtype)

    def _add_stages(
        self, name: str, channels_in: int, widths: list[int], dtype: str
    ) -> list[Upscale]:
        channels = [channels_in, *widths]
        return [
            self.add(f"{name}{i}", Upscale(channels[i], channels[i + 1], self.up, dtype=dtype))
            for i in range(len(widths))
        ]

    def _add_heads(self, arch: Architecture, width: int, mask_width: int, dtype: str) -> None:
        self._add_image_heads(width, dtype)
        self._add_mask_head(arch, mask_width, dtype)

    def _add_image_heads(self, width: int, dtype: str) -> None:
        """With letter d, four convolutions make the pixels of each 2 x 2 cell: a 1 x 1 the top left
        one, 3 x 3 the others."""
        names = ("out_conv", "out_conv1", "out_conv2", "out_conv3")[: 4 if self.doubled else 1]
        self.image_heads = [
            self.add(name, Convolution(width, 3, 1 if name == "out_conv" else 3, dtype=dtype))
            for name in names
        ]

    def _add_mask_head(self, arch: Architecture, mask_width: int, dtype: str) -> None:
        if self.doubled:
            last = Upscale(mask_width, arch.d_mask_dims, self.up, dtype=dtype)
            self.mask_upscales.append(self.add(f"upscalem{len(self.mask_upscales)}", last))
            mask_width = arch.d_mask_dims
        self.mask_head = self.add("out_convm", Convolution(mask_width, 1, 1, dtype=dtype))

    def image(self, code: Tensor) -> Tensor:
        """(n, R, R, 3) BGR, float32 0..1."""
        x = code
        for upscale, residual in zip(self.upscales, self.residuals, strict=True):
            x = self.through(residual, self.through(upscale, x))
        logits = convolved_together(self.image_heads, x)
        return sigmoid32(depth_to_space(logits) if self.doubled else logits)

    def mask(self, code: Tensor) -> Tensor:
        """(n, R, R, 1), float32 0..1."""
        x = code
        for upscale in self.mask_upscales:
            x = self.through(upscale, x)
        return sigmoid32(self.mask_head(x))


class Autoencoder(WiredNets[Encoder, Inter, Decoder]):
    """The nets of an `Architecture`."""

    def __init__(self, arch: Architecture, *, dtype: str = "float32") -> None:
        super().__init__(
            arch.wiring,
            Encoder(arch, dtype=dtype),
            partial(Inter, arch, dtype=dtype),
            partial(Decoder, arch, dtype=dtype),
        )
        self.arch: Architecture = arch
