"""Pictures from and to files."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.media.images import (
    ImageU8,
    decode_face_bgr_u8,
    read_image_bgr_u8,
    write_image,
)
from engine.protocol.errors import InputError
from tests.faces.face_files import with_exif_orientation


def made_picture(height: int = 61, width: int = 83) -> ImageU8:
    """A smooth picture whose corners and channels differ."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [255 * x / width, 255 * y / height, 255 * (x + y) / (width + height)]
    return np.stack(planes, axis=-1).astype(np.uint8)


@pytest.mark.parametrize("name", ["plain.png", "scan.tif", "snow ❄ Žluťoučký 顔.png"])
def test_a_written_lossless_picture_reads_back_equal(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, made_picture())
    assert np.array_equal(read_image_bgr_u8(tmp_path / name), made_picture())


def test_a_written_jpeg_reads_back_close(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", made_picture(), jpeg_quality=98)
    difference = read_image_bgr_u8(tmp_path / "a.jpg").astype(int) - made_picture()
    assert np.abs(difference).max() < 8


def test_a_grey_picture_reads_as_three_equal_channels(tmp_path: Path) -> None:
    grey = made_picture()[..., 0]
    write_image(tmp_path / "grey.png", grey)
    assert np.array_equal(read_image_bgr_u8(tmp_path / "grey.png"), np.dstack([grey] * 3))


def test_alpha_is_dropped_without_touching_colour(tmp_path: Path) -> None:
    alpha = np.linspace(0, 255, 61 * 83).reshape(61, 83, 1).astype(np.uint8)
    write_image(tmp_path / "a.png", np.concatenate([made_picture(), alpha], axis=-1))
    assert np.array_equal(read_image_bgr_u8(tmp_path / "a.png"), made_picture())


def test_sixteen_bits_are_rounded_to_eight(tmp_path: Path) -> None:
    deep = np.array([[0, 128, 129, 257 * 7, 257 * 200 + 129, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert read_image_bgr_u8(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 0, 1, 7, 201, 255]


def test_floats_from_0_to_1_fill_the_eight_bits(tmp_path: Path) -> None:
    unit = np.dstack([np.array([[0.0, 0.5, 1.0, 2.0]], np.float32)] * 3)
    cv2.imwrite(str(tmp_path / "float.tif"), unit)
    assert read_image_bgr_u8(tmp_path / "float.tif")[0, :, 0].tolist() == [0, 128, 255, 255]


def test_an_exif_orientation_is_applied(tmp_path: Path) -> None:
    tag = Image.Exif()
    tag[0x112] = 6  # shown turned clockwise by a quarter
    picture = Image.fromarray(made_picture()[..., ::-1])
    picture.save(tmp_path / "photo.jpg", exif=tag, quality=95)
    assert read_image_bgr_u8(tmp_path / "photo.jpg").shape == (83, 61, 3)


def test_a_face_is_taken_as_stored_since_its_landmarks_count_stored_pixels() -> None:
    plain = cv2.imencode(".jpg", made_picture())[1].tobytes()
    turned = with_exif_orientation(plain, 6)
    shown = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (83, 61, 3)
    face = decode_face_bgr_u8(turned, Path("face.jpg"))
    np.testing.assert_array_equal(face, decode_face_bgr_u8(plain, Path("face.jpg")))


def test_bytes_after_the_end_of_a_jpeg_are_accepted(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", made_picture())
    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(b"trailing notes of some camera")
    assert read_image_bgr_u8(tmp_path / "a.jpg").shape == (61, 83, 3)


def test_a_thumbnail_does_not_hide_that_a_jpeg_is_cut_off(tmp_path: Path) -> None:
    whole = cv2.imencode(".jpg", made_picture(200, 300))[1].tobytes()
    small = cv2.imencode(".jpg", made_picture(20, 30))[1].tobytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(small) + 2) + small
    (tmp_path / "cut.jpg").write_bytes((whole[:2] + segment + whole[2:])[:-40])
    with pytest.raises(InputError, match=r"cut\.jpg: the JPEG is cut off"):
        read_image_bgr_u8(tmp_path / "cut.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("kept", [1, 100, 0.5, -12])
def test_a_cut_off_picture_is_refused_by_name(tmp_path: Path, suffix: str, kept: float) -> None:
    data = cv2.imencode(suffix, made_picture(200, 300))[1].tobytes()
    end = int(len(data) * kept) if isinstance(kept, float) else int(kept)
    path = tmp_path / f"half{suffix}"
    path.write_bytes(data[:end])
    with pytest.raises(InputError, match=f"half{suffix}"):
        read_image_bgr_u8(path)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.png").write_bytes(content)
    with pytest.raises(InputError, match=r"odd\.png"):
        read_image_bgr_u8(tmp_path / "odd.png")


def test_a_missing_picture_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.png: No such file"):
        read_image_bgr_u8(tmp_path / "gone.png")


def test_a_header_that_claims_a_huge_picture_is_refused_before_it_is_decoded(
    tmp_path: Path,
) -> None:
    data = bytearray(cv2.imencode(".png", made_picture())[1].tobytes())
    data[16:24] = struct.pack(">II", 60000, 60000)
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(InputError, match="60000x60000 is more than"):
        read_image_bgr_u8(tmp_path / "bomb.png")


def test_every_picture_a_camera_writes_in_odd_modes_is_read(tmp_path: Path) -> None:
    rgb = Image.fromarray(made_picture()[..., ::-1])
    for mode, suffix in (("CMYK", "jpg"), ("P", "png"), ("1", "png"), ("LA", "png"), ("L", "tif")):
        file = io.BytesIO()
        rgb.convert(mode).save(file, {"jpg": "JPEG", "png": "PNG", "tif": "TIFF"}[suffix])
        path = tmp_path / f"{mode}.{suffix}"
        path.write_bytes(file.getvalue())
        assert read_image_bgr_u8(path).shape == (61, 83, 3), mode


def test_a_picture_is_not_replaced_when_the_new_one_cannot_be_made(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", made_picture())
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(ValueError, match="not an 8-bit picture"):
        write_image(tmp_path / "a.png", made_picture().astype(np.float32))  # type: ignore[arg-type]
    assert (tmp_path / "a.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
