"""How nets become one face autoencoder: what each kind of net does, and the df and liae wiring.

spec, training 3. Faces are (n, R, R, 3) BGR 0..1. One encoder reads both faces; df and liae
differ in how codes are made and in which decoder reads them:

    df    code = inter(encoder(x)), a decoder for src and one for dst
    liae  codes are pairs of inter_AB and inter_B, one decoder
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from keras import ops

from engine.nets.layers import Block, Downscale, Residual, Tensor, Upscale
from engine.nets.recompute import recomputed

# Each wiring's nets by the names of their files: encoder, inters, decoders.
WIRINGS = {
    "df": ("encoder", "inter", "decoder_src", "decoder_dst"),
    "liae": ("encoder", "inter_AB", "inter_B", "decoder"),
}

Step = Downscale | Residual


class Staged(Block):
    """A net of stages. recompute: keep what goes between stages alone, and make what is within
    them again for the gradient."""

    recompute = False

    def through(self, stage: Step | Upscale, x: Tensor) -> Tensor:
        """What the stage makes of x."""
        return recomputed(stage, x) if self.recompute else stage(x)


class EncoderNet(Staged, ABC):
    """Faces to flat vectors, channel-major, of `units_out`."""

    units_out: int

    @abstractmethod
    def __call__(self, faces: Tensor) -> Tensor: ...


class InterNet(Block, ABC):
    """Flat vectors to a small feature map, through a narrow waist."""

    @abstractmethod
    def __call__(self, flat: Tensor) -> Tensor: ...


class DecoderNet(Staged, ABC):
    """Codes to a face and its mask: two branches that share nothing, so either can be asked
    alone."""

    @abstractmethod
    def image(self, code: Tensor) -> Tensor:
        """(n, R, R, 3) BGR, float32 0..1."""

    @abstractmethod
    def mask(self, code: Tensor) -> Tensor:
        """(n, R, R, 1), float32 0..1."""


def sigmoid32(logits: Tensor) -> Tensor:
    """What a net draws, 0..1, in float32 whatever it computes in."""
    return ops.sigmoid(ops.cast(logits, "float32"))


@dataclass(frozen=True)
class Codes:
    """What decoders read: src faces, dst faces, and dst faces to be drawn as src."""

    src: Tensor
    dst: Tensor
    swap: Tensor


class StagedNets:
    """The nets of one model by the names of their files."""

    nets: dict[str, Block]

    def recompute(self, on: bool) -> None:
        """Whether gradients are computed with less memory, in more time; from the next graph on."""
        for net in self.nets.values():
            if isinstance(net, Staged):
                net.recompute = on


class Wired(Protocol):
    """What an autoencoder looks like. `wiring` is df or liae."""

    @property
    def wiring(self) -> str: ...

    @property
    def resolution(self) -> int: ...

    def make(self, *, dtype: str = "float32") -> WiredNets[Any, Any, Any]:
        """Nets like that."""
        ...


EncoderKind = TypeVar("EncoderKind", bound=EncoderNet)
InterKind = TypeVar("InterKind", bound=InterNet)
DecoderKind = TypeVar("DecoderKind", bound=DecoderNet)


class WiredNets(StagedNets, Generic[EncoderKind, InterKind, DecoderKind]):
    """The nets of one model by the names of their files (`nets`), and how they are wired.
    make_inter: from how many units of the encoder. make_decoder: each of them."""

    arch: Wired

    def __init__(
        self,
        wiring: str,
        encoder: EncoderKind,
        make_inter: Callable[[int], InterKind],
        make_decoder: Callable[[], DecoderKind],
    ) -> None:
        self.encoder = encoder
        self.nets = {"encoder": encoder}
        names = WIRINGS[wiring]
        inter_names = [name for name in names if name.startswith("inter")]
        self.inters = [make_inter(encoder.units_out) for _ in inter_names]
        self.nets.update(zip(inter_names, self.inters, strict=True))
        decoder_names = [name for name in names if name.startswith("decoder")]
        decoders = [make_decoder() for _ in decoder_names]
        self.nets.update(zip(decoder_names, decoders, strict=True))
        self.decoder_src, self.decoder_dst = decoders[0], decoders[-1]

    def codes(self, src_faces: Tensor, dst_faces: Tensor) -> Codes:
        """Codes of equally many src and dst faces; one pass through each net for both."""
        flat = self.encoder(ops.concatenate([src_faces, dst_faces], axis=0))
        src, shared_dst = ops.split(self.inters[0](flat), 2, axis=0)
        if self.arch.wiring == "liae":
            src = ops.concatenate([src, src], axis=-1)
        dst, swap = self._dst_codes(shared_dst, ops.split(flat, 2, axis=0)[1])
        return Codes(src, dst, swap)

    def drawn(self, codes: Codes) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Face and mask of src faces, face and mask of dst faces, each by its own decoder."""
        if self.decoder_src is not self.decoder_dst:
            src, dst = self.decoder_src, self.decoder_dst
            return (
                src.image(codes.src),
                src.mask(codes.src),
                dst.image(codes.dst),
                dst.mask(codes.dst),
            )
        both = ops.concatenate([codes.src, codes.dst], axis=0)
        src_face, dst_face = ops.split(self.decoder_src.image(both), 2, axis=0)
        src_mask, dst_mask = ops.split(self.decoder_src.mask(both), 2, axis=0)
        return src_face, src_mask, dst_face, dst_mask

    def dst_codes(self, dst_faces: Tensor) -> tuple[Tensor, Tensor]:
        """(dst, swap) codes of dst faces: what merging needs."""
        flat = self.encoder(dst_faces)
        return self._dst_codes(self.inters[0](flat), flat)

    def _dst_codes(self, shared: Tensor, flat: Tensor) -> tuple[Tensor, Tensor]:
        """shared: what the inter net of both faces makes of `flat`."""
        if self.arch.wiring == "df":
            return shared, shared
        dst = ops.concatenate([self.inters[1](flat), shared], axis=-1)  # in this order
        return dst, ops.concatenate([shared, shared], axis=-1)

    def swap(self, dst_faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Dst faces drawn as src: face, src decoder's mask, dst decoder's mask."""
        dst, swap = self.dst_codes(dst_faces)
        return self.decoder_src.image(swap), self.decoder_src.mask(swap), self.decoder_dst.mask(dst)
