"""A faceset of everything that can be odd about a face file: no stage ends with anything but a
result, or a refusal in words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_file import encode_face_jpeg, replace_face_data
from engine.faces.face_type import FaceType
from engine.faces.masks import Polygon
from engine.protocol.errors import InputError
from engine.stages.faceset_sort.methods import METHODS
from tests.faces.face_files import face_data, labels, picture, plain_jpeg, with_exif_orientation
from tests.stages.packing import loose, run_stage, workspace

pytestmark = pytest.mark.slow

_POINT = np.full((68, 2), 7.0)
_FAR = np.random.default_rng(0).random((68, 2)) * 9e6


def odd_data() -> Iterator[dict[str, Any]]:
    """Metadata that reads well and is not what extraction writes."""
    for name in ("\ud800.png", "\udcff.png", "a" * 60_000, "../../x.png", "", "a\n\x1b[31m", "\0"):
        yield {"source_filename": name}
    yield {"landmarks": _POINT}
    yield {"landmarks": _FAR}
    yield {"landmarks": np.linspace((0, 0), (64, 64), 68)}
    yield {"source_landmarks": _POINT}
    yield {"source_landmarks": _FAR, "source_rect": (-(10**7), -(10**7), 10**7, 10**7)}
    yield {"source_landmarks": None, "source_rect": None, "image_to_face_mat": None}
    yield {"image_to_face_mat": np.zeros((2, 3))}
    yield {"eyebrows_expand_mod": 100.0}
    yield {"seg_ie_polys": (Polygon(True, np.zeros((0, 2), np.float32)),)}
    yield {"seg_ie_polys": (Polygon(True, np.float32([(1e7, 1e7), (-1e7, 3), (5, -1e7)])),)}
    yield {"xseg_mask_compressed": b"no picture"}
    yield {"xseg_mask_compressed": b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\x00\x01\x00\x00" * 2}
    for face_type in FaceType:
        yield {"face_type": face_type}


def odd_pictures() -> Iterator[bytes]:
    """JPEG files that are unlike those of extraction, or none."""
    for shape in ((1, 1, 3), (2, 3000, 3), (64, 200, 3), (64, 64)):
        yield cv2.imencode(".jpg", np.full(shape, 99, np.uint8))[1].tobytes()
    inks = io.BytesIO()
    Image.fromarray(picture()).convert("CMYK").save(inks, "JPEG")
    yield inks.getvalue()
    yield plain_jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    yield plain_jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 1) + b"tail"
    yield with_exif_orientation(plain_jpeg(), 6)
    size_at = plain_jpeg().index(b"\xff\xc0") + 5
    for size in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
        yield plain_jpeg()[:size_at] + size + plain_jpeg()[size_at + 4 :]


def odd_faces() -> dict[str, bytes]:
    mask = bytes_from_mask(np.ones((256, 256), np.float32))
    whole = {"seg_ie_polys": labels(), "xseg_mask_compressed": mask}
    data = [*({"source_filename": f"{n}.png"} for n in range(3)), whole, *odd_data()]
    faces = [encode_face_jpeg(picture(seed=n), 80, face_data(**of)) for n, of in enumerate(data)]
    faces += [replace_face_data(jpeg, face_data()) for jpeg in odd_pictures()]
    faces += [plain_jpeg(), faces[0][:-50], b""]
    names = [*(f"{number:05d}_0.jpg" for number in range(len(faces) - 3))]
    return dict(zip([*names, "\udcfe.jpg", "a\nb.JPG", "c.jpeg"], faces, strict=True))


STAGES: list[tuple[str, dict[str, Any]]] = [
    *(("faceset-sort", {"method": m.name}) for m in METHODS if m.name != "identity"),
    ("faceset-index", {}),
    ("faceset-report", {}),
    *(("faceset-resize", {"face_type": kind, "size": 128}) for kind in ("same", "f", "head")),
    ("faceset-export-masks", {"hull": True}),
    ("faceset-landmarks-debug", {}),
    ("faceset-metadata-save", {}),
    ("faceset-recover-names", {}),
    ("faceset-pack", {"delete_originals": True}),
    ("xseg-fetch", {}),
    ("xseg-remove", {}),
    ("xseg-labels-remove", {}),
    ("landmarks-check", {}),
    ("landmarks-smooth", {}),
]


@pytest.mark.parametrize(("stage", "options"), STAGES, ids=str)
def test_no_face_is_so_odd_that_it_ends_a_stage(
    stage: str, options: dict[str, Any], tmp_path: Path
) -> None:
    faces = odd_faces()
    for side in ("src", "dst"):
        workspace(tmp_path, faces, side)
    sides = {} if stage == "faceset-report" else {"side": "src"}
    try:
        run_stage(tmp_path, stage, confirmed=True, **sides, **options)
    except InputError as refused:
        assert stage.startswith("landmarks-"), refused  # there are no frames
        assert refused.remedy
    assert len(loose(tmp_path)) >= 2 * len(faces)  # in their places or in the trash
