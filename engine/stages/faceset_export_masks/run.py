"""The stage `faceset-export-masks`: the faces' masks as pictures, in a folder of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from engine.faces.face_data import FaceData
from engine.faces.face_file import decode_applied_mask, labels_mask, read_face
from engine.faces.masks import Mask, hull_mask
from engine.media.images import encode_image
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.stages.beside import Beside, make_all, named_after, worker_count
from engine.stages.loose_faces import swept_loose_faces

FOLDER = "aligned_masks"
JPEG_QUALITY = 100  # DFL's
LARGEST_SIDE_PX = 1 << 14  # a header can claim far more than a face ever has


def run(context: StageContext) -> None:
    """Write the masks of a side's faces, going on where an earlier run stopped.

    Raises `InputError` for a packed faceset, when no face can be used or the disk is full;
    `ConfirmationNeeded` when masks made otherwise are there; `Stopped` with all finished masks
    kept.
    """
    options = context.options
    side = context.workspace.side(options["side"])
    suffix, with_hull = f".{options['format']}", options["hull"]
    faces = swept_loose_faces(side)
    folder = side.frames / FOLDER
    settings = {"format": options["format"], "hull": with_hull}
    beside = Beside(context, f"faceset-export-masks-{side.name}", side.aligned, folder, settings)
    beside.prepare(fresh=options["fresh"])
    pairs = named_after(faces, folder, f"{{}}_mask{suffix}".format)
    make = partial(mask_file, suffix=suffix, with_hull=with_hull)
    tally = make_all(beside, pairs, make, processes=worker_count(context))
    beside.tell_left_over(pairs)
    if tally.skipped:
        context.warn(
            f"{tally.skipped} faces have neither an applied mask nor labels: they are left out",
            "apply a mask, draw labels, or use --hull",
        )
    context.result(
        faces=len(faces),
        masks=tally.made,
        kept=tally.kept,
        without_mask=tally.skipped,
        left_out=len(tally.problems),
        folder=str(folder),
    )


def mask_file(path: Path, *, suffix: str, with_hull: bool) -> bytes | None:
    """The bytes of a face's mask as a picture, 0 or 255; None if it has none. Raises `InputError`
    for what is no face."""
    _, data, size_hw = read_face(path)
    if not all(0 < side_px <= LARGEST_SIDE_PX for side_px in size_hw):
        raise InputError("its size is not that of a face", "extract this face again")
    mask = _mask_of(data, size_hw, with_hull)
    if mask is None:
        return None
    mask_u8 = np.where(mask >= 0.5, 255, 0).astype(np.uint8)
    return encode_image(mask_u8, suffix, jpeg_quality=JPEG_QUALITY)


def _mask_of(data: FaceData, shape_hw: tuple[int, int], with_hull: bool) -> Mask | None:
    if data.xseg_mask_compressed is not None:
        return decode_applied_mask(data, shape_hw)
    if data.seg_ie_polys:
        return labels_mask(data, shape_hw)
    return hull_mask(shape_hw, data.landmarks, data.eyebrows_expand_mod) if with_hull else None
