"""Results have the colours of the frames, by the tags of the destination."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from engine.media.images import ImageU8, write_image
from engine.stages.video_render.spec import LOSSY_KINDS
from tests.support.clips import make_clip, run_ffmpeg
from tests.support.results import decoded, render

pytestmark = pytest.mark.slow

SUFFIXES = {"avi": "avi", "prores-4444": "mov", "ffv1": "mkv"}
PATCH_PX = 32
# Names for ffmpeg's options, and what they are in ITU-T H.273: matrix, primaries, transfer.
BT601 = ("smpte170m", "smpte170m", "smpte170m"), (6, 6, 6)
PAL = ("bt470bg", "bt470bg", "bt470bg"), (5, 5, 5)
BT709 = ("bt709", "bt709", "bt709"), (1, 1, 1)
BT2020_PQ = ("bt2020nc", "bt2020", "smpte2084"), (9, 9, 16)


def tagged_clip(root: Path, names: tuple[str, str, str], range_name: str) -> None:
    """A destination of three frames with these tags."""
    matrix, primaries, transfer = names
    tags = f"colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"
    more = ("-vf", f"format=yuv420p,setparams={tags}:range={range_name}")
    make_clip(root / "data_dst.mp4", frames=3, size_px=(256, 192), before_output=more)


def merge_patches(root: Path, width_px: int = 256, height_px: int = 192) -> ImageU8:
    """Three merged frames of flat patches, in colours from all over the cube; returned."""
    rows, columns = height_px // PATCH_PX, width_px // PATCH_PX
    colours = np.random.default_rng(5).integers(0, 256, (rows, columns, 3)).astype(np.uint8)
    colours[0, :6] = [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)]
    picture = colours.repeat(PATCH_PX, axis=0).repeat(PATCH_PX, axis=1)
    (root / "data_dst" / "merged").mkdir(parents=True)
    for number in range(1, 4):
        write_image(root / "data_dst" / "merged" / f"{number:05d}.png", picture)
    return picture


def greatest_error(made: ImageU8, picture: ImageU8) -> int:
    """In levels of 255, in the middles of the patches: half-resolution colour bleeds at edges."""
    middle = slice(PATCH_PX // 2, None, PATCH_PX)
    return int(np.abs(made[middle, middle].astype(int) - picture[middle, middle]).max())


def tags_of(path: Path) -> tuple[tuple[int, int, int], int]:
    """Matrix, primaries and transfer, and the range (1 limited, 2 full) of the first picture."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    tags = (frame.colorspace, frame.color_primaries, frame.color_trc)
    return tuple(map(int, tags)), int(frame.color_range)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", [*LOSSY_KINDS, "prores-4444"])
@pytest.mark.parametrize(("names", "points"), [BT601, PAL, BT709, BT2020_PQ])
@pytest.mark.parametrize(("range_name", "range_point"), [("tv", 1), ("pc", 2)])
def test_tags_of_the_destination_are_kept_and_colours_made_by_them(
    tmp_path: Path,
    kind: str,
    names: tuple[str, str, str],
    points: tuple[int, int, int],
    range_name: str,
    range_point: int,
) -> None:
    tagged_clip(tmp_path, names, range_name)
    assert tags_of(tmp_path / "data_dst.mp4") == (points, range_point)
    picture = merge_patches(tmp_path)
    render(tmp_path, kind=kind, control="crf", crf=0)
    result = tmp_path / f"result.{SUFFIXES.get(kind, 'mp4')}"
    made, _ = decoded(result)
    assert greatest_error(made[1], picture) <= 2
    # ProRes has no full range.
    assert tags_of(result) == (points, 1 if kind == "prores-4444" else range_point)


@pytest.mark.parametrize("kind", ["mp4-lossless", "mov-lossless", "ffv1"])
def test_rgb_kinds_keep_primaries_and_transfer(tmp_path: Path, kind: str) -> None:
    tagged_clip(tmp_path, BT2020_PQ[0], "tv")
    picture = merge_patches(tmp_path)
    render(tmp_path, kind=kind)
    suffix = {"mp4-lossless": "mp4", "mov-lossless": "mov"}.get(kind, "mkv")
    result = tmp_path / f"result.{suffix}"
    assert np.array_equal(decoded(result)[0][1], picture)
    assert tags_of(result)[0] == (0, 9, 16)


@pytest.mark.parametrize(("height_px", "matrix", "name"), [(192, 6, "bt601"), (736, 1, "bt709")])
def test_a_destination_without_tags_is_taken_as_players_do_and_that_is_said(
    tmp_path: Path, height_px: int, matrix: int, name: str
) -> None:
    size_px = (256, height_px)
    make_clip(tmp_path / "data_dst.mp4", frames=3, size_px=size_px)
    assert tags_of(tmp_path / "data_dst.mp4")[0] == (2, 2, 2)
    picture = merge_patches(tmp_path, *size_px)
    context = render(tmp_path, control="crf", crf=0)
    assert tags_of(tmp_path / "result.mp4") == ((matrix, 2, 2), 1)
    assert greatest_error(decoded(tmp_path / "result.mp4")[0][1], picture) <= 2
    assert (
        f"does not say its colour matrix; written, and said in the result: {name}, limited"
        in (context.notes[0])
    )
    assert context.facts["colour"] == f"{name}, limited range"


def test_a_destination_in_rgb_gives_a_result_in_the_colours_of_its_size(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mkv", frames=3, size_px=(256, 192), codec=("-c:v", "ffv1"))
    picture = merge_patches(tmp_path)
    render(tmp_path, control="crf", crf=0)
    assert tags_of(tmp_path / "result.mp4") == ((6, 2, 2), 1)
    assert greatest_error(decoded(tmp_path / "result.mp4")[0][1], picture) <= 2


def test_a_matrix_that_cannot_be_computed_is_not_claimed(tmp_path: Path) -> None:
    stored = make_clip(tmp_path / "a.mp4", frames=3, size_px=(256, 192))
    ycgco = ["-c", "copy", "-bsf:v", "h264_metadata=matrix_coefficients=8"]
    run_ffmpeg(["-i", str(stored), *ycgco, str(tmp_path / "data_dst.mp4")])
    picture = merge_patches(tmp_path)
    render(tmp_path, control="crf", crf=0)
    assert tags_of(tmp_path / "result.mp4") == ((6, 2, 2), 1)
    assert greatest_error(decoded(tmp_path / "result.mp4")[0][1], picture) <= 2
