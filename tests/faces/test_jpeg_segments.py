from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.faces.jpeg_segments import (
    APP0,
    APP15,
    EOI,
    SOI,
    SOS,
    HeadIncomplete,
    app15_payload,
    read_head,
    read_segments,
    with_app15,
)
from engine.protocol.errors import InputError
from tests.faces.face_files import SIZE_PX, plain_jpeg
from tests.support.shared import shared_path

EXIF = b"\xff\xe1\x00\x0aExif\x00\x00xy"
COMMENT = b"\xff\xfe\x00\x05abc"


def odd_jpegs() -> dict[str, bytes]:
    """Valid files of unusual structure."""
    plain = plain_jpeg()
    tables = read_head(plain).segments[2].start  # after SOI and APP0
    return {
        "baseline": plain,
        "progressive": plain_jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "restart intervals": plain_jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        "no APP0": plain[:2] + plain[tables:],
        "EXIF first": plain[:2] + EXIF + plain[2:],
        "APP0 that is not JFIF": plain.replace(b"JFIF", b"XYZW"),
        "comment": plain[:tables] + COMMENT + plain[tables:],
        "fill bytes": plain[:tables] + b"\xff\xff\xff" + plain[tables:],
        "bytes after the end": plain + b"\x00rest\xff\xd8\xff",
    }


def test_opencv_writes_the_metadata_segment_right_after_the_first() -> None:
    segments = read_segments(with_app15(plain_jpeg(), b"data"))
    assert [s.marker for s in segments[:3]] == [SOI, APP0, APP15]
    assert [s.marker for s in segments[-2:]] == [SOS, EOI]


@pytest.mark.parametrize("name", odd_jpegs())
def test_metadata_goes_in_and_out_of_any_valid_jpeg_without_touching_the_rest(name: str) -> None:
    jpeg = odd_jpegs()[name]
    assert read_head(jpeg).size_hw == (SIZE_PX, SIZE_PX)
    assert app15_payload(jpeg, read_head(jpeg)) is None
    one = with_app15(jpeg, b"one")
    assert app15_payload(one, read_head(one)) == b"one"
    two = with_app15(one, b"a longer two")
    assert app15_payload(two, read_head(two)) == b"a longer two"
    assert two.count(b"\xff\xef\x00") == 1
    assert with_app15(two, None) == jpeg
    decoded = cv2.imdecode(np.frombuffer(two, np.uint8), cv2.IMREAD_COLOR)
    original = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded, original)


def test_the_segment_comes_after_the_last_application_segment() -> None:
    jpeg = odd_jpegs()["EXIF first"]
    markers = [s.marker for s in read_segments(with_app15(jpeg, b"data"))]
    assert markers[:4] == [SOI, 0xE1, APP0, APP15]
    bare = [s.marker for s in read_segments(with_app15(odd_jpegs()["no APP0"], b"data"))]
    assert bare[:2] == [SOI, APP15]


def test_of_several_metadata_segments_the_last_counts_and_writing_leaves_one() -> None:
    plain = plain_jpeg()
    several = plain[:2] + b"\xff\xef\x00\x05one\xff\xef\x00\x05two" + plain[2:]
    assert app15_payload(several, read_head(several)) == b"two"
    written = with_app15(several, b"three")
    assert [s.marker for s in read_segments(written)].count(APP15) == 1
    assert with_app15(written, None) == plain


def test_metadata_that_no_segment_can_hold_is_refused() -> None:
    assert len(with_app15(plain_jpeg(), b"a" * 65533)) == len(plain_jpeg()) + 65537
    with pytest.raises(InputError, match="65534"):
        with_app15(plain_jpeg(), b"a" * 65534)


@pytest.mark.parametrize("name", ["baseline", "progressive", "restart intervals", "no APP0"])
def test_a_file_cut_short_anywhere_is_refused(name: str) -> None:
    jpeg = with_app15(odd_jpegs()[name], b"metadata")
    for length in range(0, len(jpeg), 3):
        with pytest.raises(InputError):
            read_segments(jpeg[:length])
        with pytest.raises(InputError):
            with_app15(jpeg[:length], b"new")


def test_a_head_that_may_go_on_is_told_from_a_damaged_one() -> None:
    with pytest.raises(HeadIncomplete):
        read_head(plain_jpeg()[:30])
    for damaged in (b"", b"\xff", b"GIF89a", b"\xff\xd8\x00\x00", b"\xff\xd8\xff\xe0\x00\x01xx"):
        with pytest.raises(InputError) as refusal:
            read_head(damaged)
        assert not isinstance(refusal.value, HeadIncomplete)


def test_endless_segments_are_refused() -> None:
    for endless in (b"\xff\xd8" * 20000, b"\xff\xd8" + b"\xff\xe0\x00\x02" * 20000):
        with pytest.raises(InputError, match="segments"):
            read_head(endless)


def test_no_byte_change_makes_reading_fail_otherwise() -> None:
    random = np.random.default_rng(3)
    jpegs = [with_app15(jpeg, b"metadata") for jpeg in odd_jpegs().values()]
    for _ in range(3000):
        data = bytearray(jpegs[random.integers(len(jpegs))][: random.integers(1, 2000)])
        for at in random.integers(0, len(data), 3):
            data[at] = random.choice([0, 0xFF, 0xD8, 0xD9, 0xDA, random.integers(256)])
        for read in (read_segments, read_head):
            try:
                read(bytes(data))
            except InputError:
                continue


def test_the_reference_files_of_odd_structure_are_all_read() -> None:
    folder = shared_path("golden", "dflimg", "parser")
    expected = json.loads(shared_path("golden", "dflimg", "expected_parser.json").read_text())
    assert len(expected) == 8
    for row in expected:
        jpeg = (folder / row["file"]).read_bytes()
        assert read_segments(jpeg)[0].marker == SOI
        if row["shape"]:
            assert read_head(jpeg).size_hw == tuple(row["shape"][:2])
        assert with_app15(with_app15(jpeg, b"data"), None) == jpeg
