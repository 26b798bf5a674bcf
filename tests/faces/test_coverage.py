"""What dst shows and src does not is found and named."""

from __future__ import annotations

import numpy as np

from engine.faces.coverage import find_holes, looks_of, needed_by_dst, uncovered


def looks(
    *, yaw_deg: float = 0, pitch_deg: float = 0, mouth: float = 0, side: float = 0, count: int = 5
) -> np.ndarray:
    """Faces that all look the same way, in ordinary light."""
    full = np.ones(count)
    return looks_of(
        np.radians(pitch_deg) * full, np.radians(yaw_deg) * full, mouth * full, side * full, full
    )


def test_what_src_shows_as_well_is_no_hole() -> None:
    src = np.concatenate([looks(), looks(yaw_deg=40)])
    assert find_holes(src, looks(yaw_deg=5, pitch_deg=-6, mouth=0.1)) == []


def test_a_head_angle_that_src_lacks_is_named_with_its_faces() -> None:
    dst = np.concatenate([looks(), looks(yaw_deg=31, mouth=0.4, side=-0.2, count=2)])
    (hole,) = find_holes(looks(), dst)
    words = "30° to the picture's left, level, mouth open, lit from the picture's left"
    assert (hole.words, hole.missing, hole.faces) == (words, "pose", (5, 6))


def test_it_is_told_what_is_missing() -> None:
    src = np.concatenate([looks(), looks(yaw_deg=45, mouth=0.6), looks(yaw_deg=45, side=0.5)])
    cases = {
        "pose": looks(pitch_deg=-40),
        "mouth": looks(mouth=0.6),
        "light": looks(side=-0.5),
        "combination": looks(yaw_deg=45, mouth=0.6, side=0.5),
    }
    for missing, dst in cases.items():
        (hole,) = find_holes(src, dst)
        assert hole.missing == missing


def test_the_larger_hole_comes_first() -> None:
    dst = np.concatenate([looks(yaw_deg=60, count=2), looks(yaw_deg=-60, count=9)])
    assert [len(hole.faces) for hole in find_holes(looks(), dst)] == [9, 2]


def test_two_src_faces_are_too_few_to_cover() -> None:
    assert uncovered(looks(count=2), looks()).all()
    assert not uncovered(looks(count=3), looks()).any()


def test_rare_src_faces_that_dst_relies_on_are_needed_most() -> None:
    src = np.concatenate([looks(count=12), looks(yaw_deg=50, count=1), looks(yaw_deg=-70, count=3)])
    need = needed_by_dst(src, np.concatenate([looks(count=10), looks(yaw_deg=45, count=10)]))
    assert need.argmax() == 12
    assert need[12] == 10 and abs(need[:12].sum() - 10) < 1e-9
    assert (need[13:] == 0).all()


def test_a_darker_video_is_not_taken_for_darker_light() -> None:
    still = np.zeros(4)
    bright = looks_of(still, still, still, still, np.full(4, 0.8))
    dark = looks_of(still, still, still, still, np.full(4, 0.2))
    assert find_holes(bright, dark) == []
