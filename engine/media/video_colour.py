"""Which colours a video's numbers mean: by its tags, and by its size where it has none.

All are code points of ITU-T H.273, which codecs, containers and ffmpeg share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

UNSPECIFIED = 2
_RGB = 0  # the matrix of pictures that are not Y'CbCr
BT709 = 1
_BT601 = 6  # as SMPTE 170M; 5, BT.470 BG, has the same numbers
_BT2020 = 9
_BT2020_CONSTANT = 10  # swscale knows no constant luminance and takes 9 for it, also when reading
_HD_HEIGHT_PX = 720  # players take untagged video from here on as BT.709, below as BT.601
_SCALER_NAMES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}


def guessed_matrix(height_px: int) -> int:
    """The matrix that players take a video of that height for when it has no tag."""
    return BT709 if height_px >= _HD_HEIGHT_PX else _BT601


@dataclass(frozen=True)
class VideoColour:
    """Tags of a video. full_range: luma of 0..255 rather than 16..235, in 8 bits."""

    matrix: int = UNSPECIFIED
    full_range: bool = False
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED

    @property
    def known(self) -> bool:
        """Whether Y'CbCr can be made by these tags: `matrix` is one that swscale computes."""
        return self.matrix in _SCALER_NAMES

    def writable(self, height_px: int) -> VideoColour:
        """The tags for Y'CbCr made from RGB: these, with the matrix that players would guess where
        there is none (or none that can be computed). Primaries and transfer stay as they are."""
        if self.known:
            return self
        if self.matrix == _BT2020_CONSTANT:
            return replace(self, matrix=_BT2020)
        # The range of RGB says nothing about the Y'CbCr made of it.
        full_range = self.full_range and self.matrix != _RGB
        return replace(self, matrix=guessed_matrix(height_px), full_range=full_range)

    def limited(self) -> VideoColour:
        """The same for a codec that has only 16..235."""
        return replace(self, full_range=False)

    @property
    def scaler_matrix(self) -> str:
        """The name of the matrix for ffmpeg's filter `scale`. Raises `KeyError` unless `known`."""
        return _SCALER_NAMES[self.matrix]

    @property
    def range_name(self) -> str:
        """ffmpeg's name of the range."""
        return "pc" if self.full_range else "tv"

    @property
    def words(self) -> str:
        """For people: the matrix, if known, and the range."""
        matrix = _SCALER_NAMES.get(self.matrix, "unknown matrix")
        return f"{matrix}, {'full' if self.full_range else 'limited'} range"


UNTAGGED = VideoColour()
