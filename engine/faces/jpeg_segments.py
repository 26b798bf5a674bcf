"""The parts of a JPEG file, and its APP15 segment in particular, without touching the picture.

Face files carry their metadata in APP15. Everything else, entropy-coded data and bytes after the
end of the image included, is kept as it is. Restart intervals, several scans (progressive), any
APP0, fill bytes between segments and trailing bytes are all fine; DeepFaceLab refuses some of them.
Marker codes and layout: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.protocol.errors import InputError

LONGEST_PAYLOAD = 65_533  # a segment's length field counts itself and has 16 bits

SOI, EOI, SOS, APP0, APP15 = 0xD8, 0xD9, 0xDA, 0xE0, 0xEF
_TEM, _RST0, _RST7 = 0x01, 0xD0, 0xD7
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..15 but DHT, JPG, DAC
# Entropy-coded data goes on over FF00 (a data byte FF), restarts, fill bytes and reserved codes.
_MARKER_AFTER_ENTROPY = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_MOST_SEGMENTS = 4096  # a real file has some tens; 255 of them may be an ICC profile


@dataclass(frozen=True)
class Segment:
    """A marker with what belongs to it: bytes `start..end` of the file, for SOS with its entropy
    data. Fill bytes before the marker belong to no segment."""

    marker: int
    start: int
    payload_start: int
    payload_end: int
    end: int


@dataclass(frozen=True)
class JpegHead:
    """What comes before the picture data: SOI and all segments before the first SOS.

    end: where the first SOS starts.
    """

    segments: tuple[Segment, ...]
    size_hw: tuple[int, int] | None
    end: int


class HeadIncomplete(InputError):
    """The bytes end before the picture data starts; with more of the file it may be complete."""

    code = "truncated-jpeg"


def read_head(data: bytes) -> JpegHead:
    """The segments before the picture data, from the file's first bytes.

    Raises `InputError` if this is no JPEG, `HeadIncomplete` if `data` ends too early.
    """
    if not data:
        # What DeepFaceLab leaves of a face file when writing its metadata fails.
        raise InputError("the file is empty (0 bytes)", "extract this face again")
    if data[:2] != b"\xff\xd8":
        raise InputError("this is not a JPEG file", "use face files as written by extraction")
    segments = [Segment(SOI, 0, 2, 2, 2)]
    size_hw = None
    while True:
        segment = _segment_at(data, segments[-1].end)
        if segment.marker == SOS:
            return JpegHead(tuple(segments), size_hw, segment.start)
        if segment.marker == EOI:
            raise InputError("the JPEG file holds no picture", "extract this face again")
        if segment.marker in _FRAME_HEADERS:
            size_hw = _frame_size(data, segment)
        _append(segments, segment)


def read_segments(data: bytes) -> tuple[Segment, ...]:
    """All segments of a whole JPEG file from SOI to EOI; what follows EOI is no segment.

    Raises `InputError` for a file that is cut short anywhere.
    """
    head = read_head(data)
    segments = list(head.segments)
    while segments[-1].marker != EOI:
        segment = _segment_at(data, segments[-1].end)
        if segment.marker == SOS:
            entropy_end = _entropy_end(data, segment.end)
            segment = Segment(
                SOS, segment.start, segment.payload_start, segment.payload_end, entropy_end
            )
        _append(segments, segment)
    return tuple(segments)


def app15_payload(data: bytes, head: JpegHead) -> bytes | None:
    """The payload of the last APP15 segment before the picture data, or None."""
    for segment in reversed(head.segments):
        if segment.marker == APP15:
            return data[segment.payload_start : segment.payload_end]
    return None


def with_app15(data: bytes, payload: bytes | None) -> bytes:
    """The JPEG file with its APP15 segments replaced by one, or by none.

    The new one stands after the last APPn segment. Every byte outside APP15 stays as it is.
    Raises `InputError` for a payload of more than 65 533 bytes and for a file that is cut short.
    """
    read_segments(data)
    head = read_head(data)
    insert_at = max(s.end for s in head.segments if s.marker == SOI or APP0 <= s.marker <= APP15)
    pieces, copied = [], 0
    for segment in head.segments:
        if segment.marker == APP15:
            pieces.append(data[copied : segment.start])
            copied = segment.end
        if segment.end == insert_at:
            pieces += [data[copied:insert_at], _app15_segment(payload)]
            copied = max(copied, insert_at)
    return b"".join([*pieces, data[copied:]])


def _append(segments: list[Segment], segment: Segment) -> None:
    if len(segments) >= _MOST_SEGMENTS:
        raise InputError(
            f"damaged JPEG file: more than {_MOST_SEGMENTS} segments", "extract this face again"
        )
    segments.append(segment)


def _app15_segment(payload: bytes | None) -> bytes:
    if payload is None:
        return b""
    if len(payload) > LONGEST_PAYLOAD:
        raise InputError(
            f"the face's metadata takes {len(payload)} bytes, a JPEG holds {LONGEST_PAYLOAD}",
            "use fewer polygon points or remove the applied mask",
            code="metadata-too-long",
        )
    return b"\xff\xef" + (len(payload) + 2).to_bytes(2, "big") + payload


def _segment_at(data: bytes, position: int) -> Segment:
    start = position
    if start < len(data) and data[start] != 0xFF:
        raise InputError(f"damaged JPEG file: no marker at byte {start}", "extract this face again")
    while data[start + 1 : start + 2] == b"\xff":  # fill bytes
        start += 1
    if start + 2 > len(data):
        raise _cut_short(len(data))
    marker = data[start + 1]
    if marker in (SOI, EOI, _TEM) or _RST0 <= marker <= _RST7:
        return Segment(marker, start, start + 2, start + 2, start + 2)
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    end = start + 2 + length
    if start + 4 > len(data) or end > len(data):
        raise _cut_short(len(data))
    if length < 2 or marker == 0x00:
        raise InputError(f"damaged JPEG file at byte {start}", "extract this face again")
    return Segment(marker, start, start + 4, end, end)


def _entropy_end(data: bytes, start: int) -> int:
    found = _MARKER_AFTER_ENTROPY.search(data, start)
    if found is None:
        raise _cut_short(len(data))
    return found.start()


def _frame_size(data: bytes, segment: Segment) -> tuple[int, int]:
    if segment.payload_end - segment.payload_start < 5:
        raise InputError("damaged JPEG file: its size is missing", "extract this face again")
    at = segment.payload_start + 1  # after the sample precision
    return int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")


def _cut_short(length: int) -> HeadIncomplete:
    return HeadIncomplete(
        f"the JPEG file is cut short after {length} bytes", "extract this face again"
    )
