"""The face autoencoder behind AMP: one decoder, and codes that mix the channels of two inter nets.

spec, training 10.2. Faces are (n, R, R, 3) BGR 0..1. The encoder gives vectors; `inter_src` and
`inter_dst` make a small feature map each of the same vector, and a code takes every channel from
one of the two. The decoder learns dst faces of dst's channels alone, and src faces of a mixture: so
it draws a dst face the more like src, the more channels come from `inter_src`.
"""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

from engine.nets.autoencoder import Architecture, Decoder, Encoder
from engine.nets.layers import Block, Dense, Tensor, unflatten_channel_major
from engine.nets.wiring import StagedNets

INTERS = ("inter_src", "inter_dst")
# The nets by the names of their files.
NETS = ("encoder", *INTERS, "decoder")


@dataclass(frozen=True)
class MorphArchitecture:
    """What an AMP autoencoder looks like. ae_dims: units between encoder and inter nets;
    inter_dims: channels of a code. `resolution` must divide by 32."""

    resolution: int
    ae_dims: int
    inter_dims: int
    e_dims: int
    d_dims: int
    d_mask_dims: int

    @property
    def code_side(self) -> int:
        """Side of a code."""
        return self.resolution // 32

    @property
    def as_udt(self) -> Architecture:
        """The df-udt architecture whose encoder and decoder AMP's are made like."""
        return Architecture(
            "df",
            frozenset("udt"),
            self.resolution,
            ae_dims=self.inter_dims,
            e_dims=self.e_dims,
            d_dims=self.d_dims,
            d_mask_dims=self.d_mask_dims,
        )


class MorphEncoder(Encoder):
    """Faces to vectors of `ae_dims`: (n, ae_dims)."""

    def __init__(self, arch: MorphArchitecture, *, dtype: str) -> None:
        super().__init__(arch.as_udt, dtype=dtype)
        self.dense1 = self.add("dense1", Dense(self.units_out, arch.ae_dims, dtype=dtype))

    def __call__(self, faces: Tensor) -> Tensor:
        return self.dense1(super().__call__(faces))


class MorphInter(Block):
    """Vectors to feature maps: (n, R / 32, R / 32, inter_dims)."""

    def __init__(self, arch: MorphArchitecture, *, dtype: str) -> None:
        super().__init__()
        self.side, self.channels = arch.code_side, arch.inter_dims
        units = self.side**2 * self.channels
        self.dense2 = self.add("dense2", Dense(arch.ae_dims, units, dtype=dtype))

    def __call__(self, vectors: Tensor) -> Tensor:
        return unflatten_channel_major(self.dense2(vectors), self.side, self.channels)


class MorphDecoder(Decoder):
    """`Decoder` with its last parts in the order of AMP's files."""

    def _add_heads(self, arch: Architecture, width: int, mask_width: int, dtype: str) -> None:
        self._add_mask_head(arch, mask_width, dtype)
        self._add_image_heads(width, dtype)


class MorphAutoencoder(StagedNets):
    """The nets of one AMP model by the names of their files (`nets`), and how they are wired."""

    def __init__(self, arch: MorphArchitecture, *, dtype: str = "float32") -> None:
        self.arch = arch
        self.encoder = MorphEncoder(arch, dtype=dtype)
        self.inter_src = MorphInter(arch, dtype=dtype)
        self.inter_dst = MorphInter(arch, dtype=dtype)
        self.decoder = MorphDecoder(arch.as_udt, dtype=dtype)
        parts = (self.encoder, self.inter_src, self.inter_dst, self.decoder)
        self.nets = dict(zip(NETS, parts, strict=True))

    def codes(
        self, src_faces: Tensor, dst_faces: Tensor, from_src: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Codes of equally many src and dst faces. from_src: (n, inter_dims) bool, which channels
        of a src face's code come from `inter_src`; a dst face's all come from `inter_dst`."""
        vectors = self.encoder(ops.concatenate([src_faces, dst_faces], axis=0))
        of_src = self.inter_src(ops.split(vectors, 2, axis=0)[0])
        by_dst, dst_code = ops.split(self.inter_dst(vectors), 2, axis=0)
        return _mixed(from_src, of_src, by_dst), dst_code

    def morphed(self, dst_faces: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
        """(dst code, morphed code) of dst faces. factors: (n,), 0..1, which share of a face's
        channels, the first ones, comes from `inter_src`."""
        vectors = self.encoder(dst_faces)
        dst_code = self.inter_dst(vectors)
        from_src = self.first_channels(factors)
        return dst_code, _mixed(from_src, self.inter_src(vectors), dst_code)

    def first_channels(self, factors: Tensor) -> Tensor:
        """(n, inter_dims) bool: the first `int(inter_dims * factor)` channels of each; the product
        in float32, as DeepFaceLab and its exported models have it."""
        channels = self.arch.inter_dims
        counts = ops.cast(ops.cast(factors, "float32") * channels, "int32")
        return ops.arange(channels, dtype="int32")[None, :] < counts[:, None]

    def drawn(self, src_code: Tensor, dst_code: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Face and mask of src faces, face and mask of dst faces."""
        both = ops.concatenate([src_code, dst_code], axis=0)
        src_face, dst_face = ops.split(self.decoder.image(both), 2, axis=0)
        src_mask, dst_mask = ops.split(self.decoder.mask(both), 2, axis=0)
        return src_face, src_mask, dst_face, dst_mask

    def swap(self, dst_faces: Tensor, factors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Dst faces morphed towards src, see `morphed`: face, its mask, the mask of dst."""
        dst_code, code = self.morphed(dst_faces, factors)
        return self.decoder.image(code), self.decoder.mask(code), self.decoder.mask(dst_code)


def _mixed(from_src: Tensor, by_src: Tensor, by_dst: Tensor) -> Tensor:
    return ops.where(from_src[:, None, None, :], by_src, by_dst)
