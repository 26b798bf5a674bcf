"""Nets that tell real from made while training, and thereby teach the others. spec, training 6.

Both give logits, float32: above 0 they believe a picture real. Names and shapes of weights are
those of DeepFaceLab's files.
"""

from __future__ import annotations

from keras import ops

from engine.nets.layers import (
    Block,
    Convolution,
    Tensor,
    TransposedConvolution,
    leaky_relu,
)
from engine.nets.losses import float32
from engine.nets.patch_plan import patch_strides

MOST_CHANNELS = 512


class CodeDiscriminator(Block):
    """Says which faces a code is of ("true face"). Codes are (n, side, side, channels)."""

    def __init__(self, channels: int, side: int, *, base: int = 256, dtype: str) -> None:
        super().__init__()
        self.activation = leaky_relu(0.1)
        widths = [base * min(2**i, 8) for i in range(1 + side // 8)]
        pairs = zip([channels, *widths], widths, strict=False)
        self.convolutions = [
            self.add(
                f"convs_{i}",
                Convolution(channels_in, channels_out, 3 if i else 4, 2, dtype=dtype),
            )
            for i, (channels_in, channels_out) in enumerate(pairs)
        ]
        self.out_conv = self.add("out_conv", Convolution(widths[-1], 1, 1, dtype=dtype))

    def __call__(self, code: Tensor) -> Tensor:
        x = code
        for convolution in self.convolutions:
            x = self.activation(convolution(x))
        return float32(self.out_conv(x))


class PatchDiscriminator(Block):
    """A U-Net that judges pictures twice: patch by patch and pixel by pixel.

    patch_px: the size of its patches, about. base: channels at full size, doubled at each level.
    The product of `patch_strides(patch_px)` must divide the pictures' side.
    """

    def __init__(self, patch_px: int, base: int, *, dtype: str) -> None:
        super().__init__()
        self.activation = leaky_relu(0.2)
        strides = patch_strides(patch_px)
        # widths[i] goes into convolution i; skips have it, too.
        widths = [min(base * 2**i, MOST_CHANNELS) for i in range(len(strides) + 1)]
        self.convolutions = [
            self.add(f"convs_{i}", Convolution(widths[i], widths[i + 1], 3, stride, dtype=dtype))
            for i, stride in enumerate(strides)
        ]
        self.upward = [
            self.add(f"upconvs_{place}", self._up(widths, strides, level, dtype))
            for place, level in enumerate(reversed(range(len(strides))))
        ]
        self.in_conv = self.add("in_conv", Convolution(3, widths[0], 1, dtype=dtype))
        self.out_conv = self.add("out_conv", Convolution(2 * widths[0], 1, 1, dtype=dtype))
        self.center_out = self.add("center_out", Convolution(widths[-1], 1, 1, dtype=dtype))
        self.center_conv = self.add(
            "center_conv", Convolution(widths[-1], widths[-1], 1, dtype=dtype)
        )

    @staticmethod
    def _up(
        widths: list[int], strides: tuple[int, ...], level: int, dtype: str
    ) -> TransposedConvolution:
        """Back from level + 1 to level; above the deepest, skips have doubled the channels."""
        deepest = level == len(strides) - 1
        channels_in = widths[level + 1] * (1 if deepest else 2)
        return TransposedConvolution(channels_in, widths[level], 3, strides[level], dtype=dtype)

    def __call__(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of patches (n, h, w, 1) and of pixels (n, R, R, 1)."""
        x = self.activation(self.in_conv(faces))
        skips = []
        for convolution in self.convolutions:
            skips.append(x)
            x = self.activation(convolution(x))
        of_patches = self.center_out(x)
        x = self.activation(self.center_conv(x))
        for convolution, skip in zip(self.upward, reversed(skips), strict=True):
            x = ops.concatenate([skip, self.activation(convolution(x))], axis=-1)
        return float32(of_patches), float32(self.out_conv(x))
