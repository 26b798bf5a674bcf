"""What is known of a face, what one can sort and filter by, and the filter's little language."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from engine.protocol.errors import UsageError

FaceKey = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Face:
    """One face file. What only the index knows is None (or empty) without it.

    `key` is (inode, mtime_ns, size_bytes), the same for the same file under another name: marks
    outlive a sort's renaming. A packed face has its `pack_offset` instead of an inode. The numbers
    are those of `engine.protocol.face_index.FaceRow`; `index_id` is its id there. `no_face`: why
    the index left the file out, as no face.
    """

    name: str
    key: FaceKey
    source_filename: str = ""
    yaw_rad: float | None = None
    pitch_rad: float | None = None
    roll_rad: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    mouth_open: float | None = None
    rect_area_px: float | None = None
    phash: int | None = None
    index_id: int | None = None
    pack_offset: int | None = None
    no_face: str = ""

    @property
    def size_bytes(self) -> int:
        return self.key[2]

    @property
    def rect_edge_px(self) -> float | None:
        """The edge of a square as large as the detector's rectangle in the frame."""
        return None if self.rect_area_px is None else math.sqrt(self.rect_area_px)


@dataclass(frozen=True)
class Field:
    """One thing to sort, filter and tell by; `digits` after the point, None: not a number."""

    name: str
    get: Callable[[Face], float | str | None]
    indexed: bool = True
    digits: int | None = 2
    signed: bool = False
    angle: bool = False
    unit: str = ""

    def text(self, face: Face) -> str:
        """`yaw +18°`, `size 158 px`; empty if not known."""
        value = self.get(face)
        if value is None or isinstance(value, str):
            return ""
        rounded = round(value, self.digits) + 0.0  # there is no -0
        number = f"{rounded:{'+' if self.signed else ''}.{self.digits}f}"
        return f"{self.name} {number}{'°' if self.angle else ''} {self.unit}".rstrip()


def _degrees(angle_rad: float | None) -> float | None:
    return None if angle_rad is None else math.degrees(angle_rad)


NAME = Field("name", lambda face: face.name, indexed=False, digits=None)
FIELDS: tuple[Field, ...] = (
    NAME,
    Field("yaw", lambda face: _degrees(face.yaw_rad), digits=0, signed=True, angle=True),
    Field("pitch", lambda face: _degrees(face.pitch_rad), digits=0, signed=True, angle=True),
    Field("sharpness", lambda face: face.sharpness, digits=0),
    Field("size", lambda face: face.rect_edge_px, digits=0, unit="px"),
    Field("brightness", lambda face: face.brightness),
    Field("mouth", lambda face: face.mouth_open),
    Field("roll", lambda face: _degrees(face.roll_rad), digits=0, signed=True, angle=True),
    Field("bytes", lambda face: face.size_bytes, indexed=False, digits=0),
)
NUMBERS = tuple(field for field in FIELDS if field.digits is not None)

Test = Callable[[Face], bool]
_COMPARISON = re.compile(r"([a-z]+)(<=|>=|<|>|=)(.*)", re.IGNORECASE)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}


def parse_filter(text: str) -> tuple[Test, ...]:
    """The tests that a face must all pass, from words such as `yaw>20 sharp<50 !00012 clip`.

    A comparison names a field (or how its name begins); angles are degrees, as in the report
    (`20`, `20deg` or `20°`), sizes the edge in pixels of the frame.
    Any other word must be in the face's or its frame's name, with `!` must not. Faces of which the
    index does not know a value pass no comparison of it. Raises UsageError.
    """
    return tuple(_test(word) for word in text.split())


def _test(word: str) -> Test:
    found = _COMPARISON.fullmatch(word)
    if found is None:
        return _name_test(word)
    field, compare = _field(found[1], word), _COMPARE[found[2]]
    limit = _number(found[3], field, word)

    def passes(face: Face) -> bool:
        value = field.get(face)
        return isinstance(value, (int, float)) and compare(value, limit)

    return passes


def _name_test(word: str) -> Test:
    wanted = not word.startswith("!")
    part = word.removeprefix("!").lower()
    return lambda face: (
        (part in face.name.lower() or part in face.source_filename.lower()) is (wanted)
    )


def _field(begin: str, word: str) -> Field:
    found = [field for field in NUMBERS if field.name.startswith(begin.lower())]
    if len(found) == 1:
        return found[0]
    known = ", ".join(field.name for field in NUMBERS)
    what = "could be several fields" if found else "is no field"
    raise UsageError(f"{begin!r} in {word!r} {what}", f"known: {known}")


def _number(text: str, field: Field, word: str) -> float:
    bare = re.sub(r"(deg|°)$", "", text) if field.angle else text
    try:
        return float(bare)
    except ValueError:
        example = f"{field.name}>{20 if field.angle else 50}"
        raise UsageError(f"{text!r} in {word!r} is no number", f"for example {example}") from None
