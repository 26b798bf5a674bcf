"""Which part of a head a face shows, and how large its crop is."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import total_ordering
from math import sqrt

from engine.protocol.errors import InputError


@total_ordering
class FaceType(Enum):
    """A crop of the head. Ordered: each type's picture contains that of every smaller type.

    The value is the row (name in face files, short name in options, number in packs, padding).
    """

    HALF = ("half_face", "h", 0, 0.0)
    MID_FULL = ("midfull_face", "mf", 1, 0.0675)
    FULL = ("full_face", "f", 2, 0.2109375)
    FULL_NO_ALIGN = ("full_face_no_align", "", 3, 0.2109375)
    WHOLE_FACE = ("whole_face", "wf", 4, 0.40)
    HEAD = ("head", "head", 10, 0.70)
    HEAD_NO_ALIGN = ("head_no_align", "", 20, 0.70)
    MARK_ONLY = ("mark_only", "", 100, 0.0)

    @property
    def dfl_name(self) -> str:
        """The name that DeepFaceLab writes into face files, such as `whole_face`."""
        return self.value[0]

    @property
    def short(self) -> str:
        """The name used in options (`h mf f wf head`); empty where the type is not offered."""
        return self.value[1]

    @property
    def pak_number(self) -> int:
        """The number that stands for the type in `faceset.pak`."""
        return self.value[2]

    @property
    def padding(self) -> float:
        """How far the crop reaches beyond the unit square, as a share of its diagonal."""
        return self.value[3]

    @property
    def crop_side(self) -> float:
        """Side of the crop, in sides of the reference shape's unit square."""
        return 1.0 + 2.0 * sqrt(2.0) * self.padding

    @property
    def is_upright(self) -> bool:
        """Whether the crop stays parallel to the frame instead of following the head's roll."""
        return self in (FaceType.FULL_NO_ALIGN, FaceType.HEAD_NO_ALIGN)

    def contains(self, other: FaceType) -> bool:
        """Whether a face of this type shows all that a face of type `other` shows."""
        return self >= other

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, FaceType):
            return NotImplemented
        return self.pak_number < other.pak_number

    @classmethod
    def from_dfl(cls, text: str) -> FaceType:
        """The type of that DeepFaceLab name. Raises `InputError` for any other text."""
        return _find(text, lambda face_type: face_type.dfl_name)

    @classmethod
    def from_short(cls, text: str) -> FaceType:
        """The type of that short name. Raises `InputError` for any other text."""
        return _find(text, lambda face_type: face_type.short)


def _find(text: str, name_of: Callable[[FaceType], str]) -> FaceType:
    for face_type in FaceType:
        if text and name_of(face_type) == text:
            return face_type
    known = " ".join(name_of(face_type) for face_type in FaceType if name_of(face_type))
    raise InputError(f"unknown face type {text[:40]!r}", f"known: {known}", code="face-type")
