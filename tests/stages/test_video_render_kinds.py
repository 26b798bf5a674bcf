"""Kinds for editing programs: alpha, 10 bits, folders of pictures."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engine.media.images import ImageU8, read_image_bgr_u8, write_image
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.options import Choice
from engine.protocol.workspace import Workspace, list_images
from engine.stages.video_render.kinds import KINDS
from engine.stages.video_render.spec import ALPHA_KINDS, VIDEO_RENDER
from tests.support.clips import frame_number, make_clip, numbered_frame
from tests.support.context import context_for
from tests.support.results import decoded, merge_masks, merge_numbers, refused, render

pytestmark = pytest.mark.slow

ALPHA_FILES = {"mov-lossless": "mov", "prores-4444": "mov", "ffv1": "mkv"}


def with_alpha(path: Path) -> list[ImageU8]:
    """A video's pictures as (h, w, 4) BGRA."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgra") for frame in container.decode(video=0)]


def test_every_kind_to_choose_is_there_and_no_other() -> None:
    (kind,) = (option.kind for option in VIDEO_RENDER.options if option.name == "kind")
    assert isinstance(kind, Choice)
    assert set(kind.values) == set(KINDS)


@pytest.mark.parametrize("kind", ALPHA_FILES)
@pytest.mark.parametrize("size_px", [(176, 96), (177, 97)])
def test_masks_become_the_alpha_of_kinds_that_have_it(
    tmp_path: Path, kind: str, size_px: tuple[int, int]
) -> None:
    merge_numbers(tmp_path, range(4), size_px)
    masks = merge_masks(tmp_path, 4, size_px)
    context = render(tmp_path, kind=kind, alpha=True, mask=False)
    pictures = with_alpha(tmp_path / f"result.{ALPHA_FILES[kind]}")
    most = 2 if kind == "prores-4444" else 0
    for number, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        # Colours are whole also where alpha is 0.
        colour = numbered_frame(number, *size_px)
        assert np.abs(picture[..., :3].astype(int) - colour).max() <= most
        assert np.abs(picture[..., 3].astype(int) - mask).max() <= most / 2
    assert context.facts["alpha"]


@pytest.mark.parametrize("kind", ALPHA_FILES)
def test_without_the_wish_there_is_no_alpha(tmp_path: Path, kind: str) -> None:
    merge_numbers(tmp_path, range(2))
    merge_masks(tmp_path, 2)
    render(tmp_path, kind=kind)
    with av.open(str(tmp_path / f"result.{ALPHA_FILES[kind]}")) as container:
        frame = next(container.decode(video=0))
    assert "a" not in frame.format.name.replace("rgba", "a").replace("bgra", "a").replace("la", "")
    assert len(decoded(tmp_path / f"result_mask.{ALPHA_FILES[kind]}")[0]) == 2


def test_a_wish_for_alpha_that_the_kind_cannot_fulfil_is_told(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(2))
    merge_masks(tmp_path, 2)
    context = render(tmp_path, alpha=True)
    assert context.warnings == ["the kind mp4 holds no alpha: the result has none"]


@pytest.mark.parametrize("kind", ALPHA_KINDS)
def test_alpha_without_masks_is_refused(tmp_path: Path, kind: str) -> None:
    merge_numbers(tmp_path, range(2))
    refused(tmp_path, "merged_mask holds 0 pictures.*missing: 00001, 00002", kind=kind, alpha=True)


def test_alpha_of_another_size_than_the_pictures_is_refused(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(2))
    merge_masks(tmp_path, 2, (180, 96))
    refused(tmp_path, "frames are 176x96, their masks are 180x96", kind="ffv1", alpha=True)


def test_hevc_has_ten_bits_and_the_tag_that_apple_wants(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(6))
    render(tmp_path, kind="hevc-10bit")
    with av.open(str(tmp_path / "result.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.codec_tag) == ("hevc", "hvc1")
        assert next(container.decode(video=0)).format.name == "yuv420p10le"


def test_prores_is_off_by_two_levels_at_most_even_in_noise(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (96, 176, 3)).astype(np.uint8)
    (tmp_path / "data_dst" / "merged").mkdir(parents=True)
    write_image(tmp_path / "data_dst" / "merged" / "00001.png", noise)
    render(tmp_path, kind="prores-4444")
    (picture,) = decoded(tmp_path / "result.mov")[0]
    assert np.abs(picture.astype(int) - noise).max() <= 2


def test_prores_is_of_the_profile_4444(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(2))
    merge_masks(tmp_path, 2)
    render(tmp_path, kind="prores-4444", alpha=True)
    with av.open(str(tmp_path / "result.mov")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.codec_tag) == ("prores", "ap4h")


def test_a_sequence_is_a_folder_of_the_frames_under_their_names(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=5, tone=True)
    merge_numbers(tmp_path, range(5))
    masks = merge_masks(tmp_path, 5)
    context = render(tmp_path, kind="png-sequence")
    files = list_images(tmp_path / "result")
    assert [path.name for path in files] == [f"{number:05d}.png" for number in range(1, 6)]
    for number, path in enumerate(files):
        assert np.array_equal(read_image_bgr_u8(path), numbered_frame(number))
    mask = read_image_bgr_u8(tmp_path / "result_mask" / "00003.png")
    assert np.array_equal(mask[..., 0], masks[2])
    assert context.notes == ["a folder of pictures has no sound: it stays in data_dst.mp4"]
    assert context.reported[-1] == (10, 10)


def test_a_sequence_has_alpha_on_wish(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(2))
    masks = merge_masks(tmp_path, 2)
    render(tmp_path, kind="png-sequence", alpha=True, mask=False)
    picture = cv2.imread(str(tmp_path / "result" / "00002.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(picture, np.dstack((numbered_frame(1), masks[1])))
    assert not (tmp_path / "result_mask").exists()


def test_an_earlier_sequence_goes_to_the_trash_as_a_whole(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(5))
    render(tmp_path, kind="png-sequence")
    merge_numbers(tmp_path, range(3))
    for number in (4, 5):
        (tmp_path / "data_dst" / "merged" / f"{number:05d}.png").unlink()
    with pytest.raises(ConfirmationNeeded, match="result is there already"):
        render(tmp_path, kind="png-sequence")
    render(tmp_path, kind="png-sequence", confirmed=True)
    (trash,) = (tmp_path / ".facewright" / "trash").iterdir()
    assert len(list_images(trash / "result")) == 5
    numbers = [frame_number(read_image_bgr_u8(path)) for path in list_images(tmp_path / "result")]
    assert sorted(numbers) == [0, 1, 2]


def test_a_torn_frame_leaves_nothing_of_a_sequence(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(12))
    torn = tmp_path / "data_dst" / "merged" / "00009.png"
    torn.write_bytes(torn.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"00009\.png: the PNG is cut off"):
        render(tmp_path, kind="png-sequence")
    assert not list(tmp_path.glob("*result*")) + list(tmp_path.glob(".result*"))


def test_a_sequence_counts_as_a_result_of_the_workspace_and_is_cleared_with_it(
    tmp_path: Path,
) -> None:
    from engine.protocol.survey import survey
    from engine.stages.workspace_clear.run import clear_workspace

    merge_numbers(tmp_path, range(3))
    merge_masks(tmp_path, 3)
    render(tmp_path, kind="png-sequence")
    (fact,) = survey(Workspace(tmp_path)).results
    files = list_images(tmp_path / "result")
    assert (fact.name, fact.bytes) == ("result", sum(path.stat().st_size for path in files))
    clear_workspace(context_for(tmp_path, "workspace-clear", confirmed=True, results=True))
    assert not list(tmp_path.glob("result*"))
