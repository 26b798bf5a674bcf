"""What results say in their pictures: the draft's slate, a label, an end card."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engine.media.images import ImageU8
from engine.protocol.consent import consent_path
from engine.protocol.workspace import Workspace, list_images
from engine.stages.video_render.kinds import KINDS
from engine.stages.video_render.run import render_video
from engine.stages.video_render.signs import end_card, make_sign
from engine.stages.video_render.spec import DRAFT_TEXT
from tests.support.clips import make_vfr_clip, numbered_frame
from tests.support.context import context_for
from tests.support.results import decoded, merge_masks, merge_numbers, rate_hz, render

pytestmark = pytest.mark.slow

SIZE_PX = (176, 96)
HANDED_OFF = ["mov-lossless", "ffv1", "png-sequence", "prores-4444"]


def covered(corner: str, text: str, *, plate: bool) -> np.ndarray:
    """(h, w) of bool: what a sign may change."""
    sign = make_sign(text, corner, SIZE_PX, plate=plate)
    place = np.zeros(SIZE_PX[::-1], bool)
    rows, columns = sign.cover.shape[:2]
    part = place[sign.top_px : sign.top_px + rows, sign.left_px : sign.left_px + columns]
    part[:] = sign.cover[..., 0] > 0
    return place


def pictures_of(path: Path) -> list[ImageU8]:
    if path.is_dir():
        return [
            np.asarray(cv2.imread(str(one), cv2.IMREAD_UNCHANGED), np.uint8)
            for one in list_images(path)
        ]
    return decoded(path)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_of_a_draft_says_so_in_every_kind(tmp_path: Path, kind: str) -> None:
    merge_numbers(tmp_path, range(3))
    render(tmp_path, kind=kind, draft=True)
    place = covered("top-left", DRAFT_TEXT, plate=True)
    sign = make_sign(DRAFT_TEXT, "top-left", SIZE_PX, plate=True)
    rows, columns = sign.cover.shape[:2]
    pictures = pictures_of(tmp_path / f"result_draft{KINDS[kind].suffix}")
    assert len(pictures) == 3
    for number, picture in enumerate(pictures):
        plate = picture[sign.top_px :, sign.left_px :][:rows, :columns, :3].mean(axis=2)
        assert np.corrcoef(plate.ravel(), sign.grey.ravel())[0, 1] > 0.8
        change = np.abs(picture[..., :3].astype(int) - numbered_frame(number)).mean(axis=2)
        assert change[place].mean() > 5 * change[~place].mean() + 5
    assert not list(tmp_path.glob("result.*"))


@pytest.mark.parametrize("kind", HANDED_OFF)
def test_a_drafts_slate_is_opaque_where_a_mask_hides_the_frame(tmp_path: Path, kind: str) -> None:
    merge_numbers(tmp_path, range(2))
    merge_masks(tmp_path, 2)
    for path in (tmp_path / "data_dst" / "merged_mask").iterdir():
        cv2.imwrite(str(path), np.zeros(SIZE_PX[::-1], np.uint8))
    render(tmp_path, kind=kind, draft=True, alpha=True, mask=False)
    result = tmp_path / f"result_draft{KINDS[kind].suffix}"
    if result.is_dir():
        alpha = pictures_of(result)[0][..., 3]
    else:
        with av.open(str(result)) as container:
            alpha = next(container.decode(video=0)).to_ndarray(format="rgba")[..., 3]
    place = covered("top-left", DRAFT_TEXT, plate=True)
    assert alpha[place].min() > 100
    assert alpha[~place].max() <= 2


def test_a_draft_needs_no_consent_and_its_file_says_what_it_is(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(2))
    consent_path(Workspace(tmp_path)).unlink()
    context = context_for(tmp_path, "video-render", draft=True)
    render_video(context)  # without the consents that `render` sees to
    assert context.facts["draft"] is True
    assert Workspace(tmp_path).results() == [tmp_path / "result_draft.mp4"]
    with av.open(str(tmp_path / "result_draft.mp4")) as container:
        assert container.metadata["comment"] == DRAFT_TEXT


@pytest.mark.parametrize(("height_px", "letters_px"), [(360, 10), (1080, 30), (2160, 60)])
def test_a_slate_is_small_and_can_be_read(height_px: int, letters_px: int) -> None:
    size_px = (height_px * 16 // 9, height_px)
    sign = make_sign(DRAFT_TEXT, "top-left", size_px, plate=True)
    rows_of_ink = np.flatnonzero((sign.grey[..., 0] > 200).any(axis=1))
    assert np.ptp(rows_of_ink) + 1 >= letters_px
    assert sign.cover.shape[1] < size_px[0] / 3


@pytest.mark.parametrize("corner", ["bottom-left", "bottom-right", "top-right"])
def test_a_label_stands_in_its_corner_and_all_else_stays_as_it_is(
    tmp_path: Path, corner: str
) -> None:
    merge_numbers(tmp_path, range(2))
    render(tmp_path, kind="ffv1", label=corner)
    place = covered(corner, "AI-altered", plate=False)
    for number, picture in enumerate(decoded(tmp_path / "result.mkv")[0]):
        changed = (picture != numbered_frame(number)).any(axis=2)
        assert changed[place].mean() > 0.8
        assert not changed[~place].any()


def test_an_end_card_is_as_many_frames_as_its_seconds_take(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(5))
    merge_masks(tmp_path, 5)
    context = render(tmp_path, kind="ffv1", end_card=0.5, fps=12)
    pictures, _ = decoded(tmp_path / "result.mkv")
    assert context.facts["frames"] == len(pictures) == 5 + 6
    assert context.reported[-1] == (22, 22)
    card = end_card({"label_text": "ai-altered"}, SIZE_PX)
    assert all(np.array_equal(picture, card) for picture in pictures[5:])
    assert rate_hz(tmp_path / "result.mkv") == 12
    masks = decoded(tmp_path / "result_mask.mkv")[0]
    assert len(masks) == 11 and not any(mask.any() for mask in masks[5:])


def test_an_end_card_goes_on_with_the_last_frames_time_of_a_variable_rate(tmp_path: Path) -> None:
    make_vfr_clip(tmp_path / "data_dst.mp4", [33, 33, 67, 40, 100])
    merge_numbers(tmp_path, range(5))
    render(tmp_path, end_card=0.2)
    _, times_s = decoded(tmp_path / "result.mp4")
    steps_s = [after - before for before, after in pairwise(times_s[3:])]
    assert steps_s == [Fraction(40, 1000)] * 6


def test_an_end_card_in_a_sequence_goes_on_counting(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(2))
    merge_masks(tmp_path, 2)
    render(tmp_path, kind="png-sequence", end_card=0.08, alpha=True)
    names = [path.name for path in list_images(tmp_path / "result")]
    assert names == ["00001.png", "00002.png", "00003.png", "00004.png"]
    card = pictures_of(tmp_path / "result")[3]
    assert (card[..., 3] == 255).all()
