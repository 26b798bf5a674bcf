"""The stage `faceset-landmarks-debug`: faces with their landmarks, in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import cv2

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face
from engine.faces.masks import hull_mask
from engine.media.images import ImageU8, decode_face_bgr_u8, encode_image
from engine.protocol.stage import StageContext
from engine.stages.beside import Beside, make_all, named_after, worker_count
from engine.stages.loose_faces import swept_loose_faces

FOLDER = "aligned_landmarks"
JPEG_QUALITY = 50  # DFL's; the pictures are only looked at
GREEN_BGR = (0, 255, 0)


def run(context: StageContext) -> None:
    """Draw the landmarks of a side's faces, going on where an earlier run stopped.

    Raises `InputError` for a packed faceset, when no face can be used or the disk is full;
    `Stopped` with all finished pictures kept.
    """
    side = context.workspace.side(context.options["side"])
    faces = swept_loose_faces(side)
    folder = side.frames / FOLDER
    beside = Beside(context, f"faceset-landmarks-debug-{side.name}", side.aligned, folder, {})
    beside.prepare(fresh=context.options["fresh"])
    pairs = named_after(faces, folder, "{}_debug.jpg".format)
    tally = make_all(beside, pairs, drawn_file, processes=worker_count(context))
    beside.tell_left_over(pairs)
    context.result(
        faces=len(faces),
        drawn=tally.made,
        kept=tally.kept,
        left_out=len(tally.problems),
        folder=str(folder),
    )


def drawn_file(path: Path) -> bytes:
    """The JPEG bytes of a face with its landmarks. Raises `InputError` for what is no face."""
    jpeg_bytes, data, _ = read_face(path)
    picture = _drawn(decode_face_bgr_u8(jpeg_bytes, path), data)
    return encode_image(picture, ".jpg", jpeg_quality=JPEG_QUALITY)


def _drawn(image_bgr_u8: ImageU8, data: FaceData) -> ImageU8:
    picture = image_bgr_u8.copy()
    height, width = picture.shape[:2]
    # The brows as the merger takes them, whatever the face's own modifier is.
    picture[hull_mask((height, width), data.landmarks) > 0.5] //= 2
    radius_px = max(1, round(max(height, width) / 320))
    for x, y in data.landmarks:
        centre = (round(x), round(y))
        cv2.circle(picture, centre, radius_px, GREEN_BGR, cv2.FILLED, cv2.LINE_AA)
    return picture
