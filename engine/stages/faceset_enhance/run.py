"""The stage `faceset-enhance`: all faces of a side, sharpened by DeepFaceLab's face enhancer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.faces.dfl_weights import find_weights, read_dfl_weights
from engine.faces.face_file import encode_face_jpeg, read_face_data, read_jpeg
from engine.media.images import decode_face_bgr_u8
from engine.nets.device import prepare_device
from engine.nets.face_enhancer import WEIGHTS_NAME
from engine.nets.face_enhancing import FaceEnhancer
from engine.protocol.stage import StageContext
from engine.stages.beside import Beside, Pair, Tally, make_all
from engine.stages.loose_faces import require_in_place_confirmed, swept_loose_faces
from engine.stages.remade_faces import remake_faces

FOLDER = "aligned_enhanced"
JPEG_QUALITY = 100  # what DFL writes; the picture was a JPEG before


def run(context: StageContext) -> None:
    """Enhance a side's faces, going on where an earlier run stopped.

    Raises `InputError` without weights, for a packed faceset, when no face can be used or the disk
    is full; `ConfirmationNeeded` when pictures would be replaced; `Stopped` with all finished faces
    kept.
    """
    options = context.options
    side = context.workspace.side(options["side"])
    faces = swept_loose_faces(side)
    weights = find_weights(WEIGHTS_NAME, options["weights"], [context.workspace.models])
    require_in_place_confirmed(context, faces)
    folder = side.frames / FOLDER
    settings = {"weights_bytes": weights.stat().st_size}
    beside = Beside(context, f"faceset-enhance-{side.name}", side.aligned, folder, settings)
    remake_faces(beside, faces, partial(_enhance, beside, weights), "enhanced")


def _enhance(beside: Beside, weights: Path, pairs: Sequence[Pair]) -> Tally:
    context = beside.context
    device = prepare_device(context.options["device"], context.warn)
    context.note(f"enhancing on {device.description}")
    enhancer = FaceEnhancer(read_dfl_weights(weights), is_gpu=device.is_gpu)
    return make_all(beside, pairs, partial(_enhanced_file, context, enhancer), processes=1)


def _enhanced_file(context: StageContext, enhancer: FaceEnhancer, path: Path) -> bytes:
    """The enhanced face file's bytes. Raises `InputError` for a file that is no picture."""
    jpeg_bytes = read_jpeg(path)
    data = read_face_data(jpeg_bytes)
    image = enhancer.enhance(decode_face_bgr_u8(jpeg_bytes, path), context.check_stop)
    return encode_face_jpeg(image, JPEG_QUALITY, data)
