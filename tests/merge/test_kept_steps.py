"""A frame composed with one look after another, at one size after another."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.merge.compose import ComposedFrame, FrameLooks, compose_frame, raw_square_px
from engine.merge.faces import MergeFace
from engine.merge.kept import Kept
from engine.merge.motion import Motion
from engine.protocol.errors import InputError
from engine.protocol.look import Look
from tests.merge.composing import FakeSegmenter, compose, faces_of, fake_nets
from tests.merge.fakes import FakePredictor, round_predictor
from tests.merge.workspace import made_landmarks

RESOLUTION = 32
FRAME = np.random.default_rng(5).integers(0, 256, (80, 120, 3), dtype=np.uint8)
FACES = [made_landmarks(left=20), made_landmarks(left=62, top=30)]
MOVING = Motion(12.0, 30.0)
LOOKS = st.builds(
    Look,
    mode=st.sampled_from(
        ["original", "overlay", "hist-match", "seamless", "seamless-hist-match", "raw-rgb"]
    ),
    masked_hist_match=st.booleans(),
    hist_match_threshold=st.sampled_from([180, 238]),
    mask_mode=st.sampled_from(["full", "dst", "learned-prd", "XSeg-prd*XSeg-dst"]),
    erode_mask_modifier=st.sampled_from([0, 7, -20]),
    blur_mask_modifier=st.sampled_from([0, 12]),
    motion_blur_power=st.sampled_from([0, 60]),
    output_face_scale=st.sampled_from([0, -12, 9]),
    color_transfer_mode=st.sampled_from(["none", "rct", "lct", "mkl-m", "idt"]),
    sharpen_mode=st.sampled_from(["none", "box", "gaussian"]),
    blursharpen_amount=st.sampled_from([0, 3, -4]),
    super_resolution_power=st.sampled_from([0, 40]),
    image_denoise_power=st.sampled_from([0, 25, 130]),
    bicubic_degrade_power=st.sampled_from([0, 50]),
    color_degrade_power=st.sampled_from([0, 30]),
)


def mottled_predictor() -> FakePredictor:
    plain = round_predictor(RESOLUTION)
    noise = np.random.default_rng(1).random((RESOLUTION, RESOLUTION, 3), dtype=np.float32)
    return FakePredictor(noise, plain.mask_src, plain.mask_dst)


def ready_faces() -> list[MergeFace]:
    """Faces of which all nets were asked."""
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (256, 1))
    nets = fake_nets(mottled_predictor(), FakeSegmenter(ramp, ramp.T.copy()))
    greedy = Look(super_resolution_power=1, mask_mode="XSeg-prd")
    return faces_of(FRAME, FACES, greedy, nets)


def composed(
    faces: list[MergeFace], looks: FrameLooks, kept: Kept, frame: np.ndarray = FRAME
) -> ComposedFrame:
    return compose_frame(frame, faces, looks, RESOLUTION, MOVING, kept)


@settings(max_examples=40, deadline=None)
@given(looks=st.lists(st.tuples(LOOKS, LOOKS), min_size=2, max_size=4))
@pytest.mark.slow
def test_what_is_kept_from_other_looks_never_shows(looks: list[tuple[Look, Look]]) -> None:
    faces, kept = ready_faces(), Kept()
    fresh = [MergeFace(face.crop, face.predicted) for face in faces]
    for pair in looks:
        again = composed(faces, FrameLooks(Look(), pair), kept)
    alone = composed(fresh, FrameLooks(Look(), looks[-1]), Kept())
    assert np.array_equal(again.image_bgr_u8, alone.image_bgr_u8)
    assert np.array_equal(again.mask_u8, alone.mask_u8)


@settings(max_examples=15, deadline=None)
@given(look=LOOKS, other=LOOKS)
@pytest.mark.slow
def test_smaller_copies_composed_between_leave_the_whole_frame_as_it_is(
    look: Look, other: Look
) -> None:
    faces, kept = ready_faces(), Kept()
    half = cv2.resize(FRAME, (60, 40), interpolation=cv2.INTER_AREA)
    composed(faces, FrameLooks.same(other, 2), kept)
    composed(faces, FrameLooks.same(look, 2), kept, half)
    again = composed(faces, FrameLooks.same(look, 2), kept)
    fresh = [MergeFace(face.crop, face.predicted) for face in faces]
    alone = composed(fresh, FrameLooks.same(look, 2), Kept())
    assert np.array_equal(again.image_bgr_u8, alone.image_bgr_u8)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(
    "look",
    [
        Look(blur_mask_modifier=20),
        Look(mode="seamless", erode_mask_modifier=20),
        Look(output_face_scale=-20, image_denoise_power=150),
    ],
    ids=["blurred", "seamless", "larger"],
)
def test_a_smaller_copy_is_composed_as_the_whole_frame_is(look: Look, scale: int) -> None:
    frame = cv2.GaussianBlur(cv2.resize(FRAME, (480, 320)), (0, 0), 6)
    landmarks = [made_landmarks(left=100, top=90, side=130)]
    faces = faces_of(frame, landmarks, look, fake_nets(round_predictor(64)))
    whole = compose_frame(frame, faces, FrameLooks.same(look, 1), 64)
    small_wh = (480 // scale, 320 // scale)
    small = cv2.resize(frame, small_wh, interpolation=cv2.INTER_AREA)
    proxy = compose_frame(small, faces, FrameLooks.same(look, 1), 64)
    for one, other in (
        (whole.image_bgr_u8, proxy.image_bgr_u8),
        (whole.mask_u8, proxy.mask_u8),
    ):
        shrunk = cv2.resize(one, small_wh, interpolation=cv2.INTER_AREA)
        assert np.abs(shrunk.astype(int) - other).mean() < 2.0


def test_each_face_gets_its_own_look() -> None:
    faces = ready_faces()
    plain = Look(color_transfer_mode="none")
    looks = FrameLooks(Look(), (plain, Look(mode="original")))
    image = composed(faces, looks, Kept()).image_bgr_u8
    both = composed(faces, FrameLooks.same(plain, 2), Kept()).image_bgr_u8
    assert np.array_equal(image[:, :50], both[:, :50])
    assert np.array_equal(image[:, 70:], FRAME[:, 70:])
    assert not np.array_equal(both[:, 70:], FRAME[:, 70:])


def test_without_an_xseg_net_its_mask_modes_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="XSeg") as refused:
        compose(FRAME, FACES, Look(mask_mode="XSeg-dst"), round_predictor())
    assert "learned" in refused.value.remedy


def test_squares_of_raw_predict_are_of_one_size_if_any_look_enlarges_them() -> None:
    plain, large = Look(mode="raw-predict"), Look(mode="raw-predict", super_resolution_power=5)
    assert raw_square_px([plain, plain], RESOLUTION) == RESOLUTION
    side = raw_square_px([plain, large], RESOLUTION)
    assert side == 4 * RESOLUTION
    for look, faces in ((plain, ready_faces()), (large, ready_faces()), (plain, [])):
        looks = FrameLooks.same(look, len(faces))
        frame = compose_frame(FRAME, faces, looks, side)
        assert frame.image_bgr_u8.shape == (side, side, 3)
        assert frame.mask_u8.shape == (side, side)


def test_super_resolution_takes_its_part_of_the_enlarged_face() -> None:
    look = Look(mode="raw-predict", super_resolution_power=100)
    square = compose(FRAME, FACES, look, mottled_predictor()).image_bgr_u8
    face = (mottled_predictor().face_bgr * 255).astype(np.uint8)
    assert np.array_equal(square, face.repeat(4, axis=0).repeat(4, axis=1))
