"""Which faces are labelled next: the doubtful ones, from different moments."""

from __future__ import annotations

import numpy as np
import pytest

from engine.faces.label_order import Candidate, candidate, label_order
from engine.faces.masks import Mask

SHAPE_HW = (64, 64)


def outline() -> Mask:
    mask = np.zeros(SHAPE_HW, np.float32)
    mask[10:50, 16:48] = 1
    return mask


def made(name: str, unsure: float = 0.1, differs: float = 0.1, at: int = 0) -> Candidate:
    """`at`: which of the small mask's pixels are set, so that masks can be alike or not."""
    small = np.zeros((16, 16), np.float32)
    small[at % 16] = 1
    return Candidate(name, unsure, differs, small)


def names(order: list) -> list[str]:
    return [chosen.candidate.name for chosen in order]


def test_a_sure_mask_on_the_landmarks_outline_leaves_nothing_to_ask() -> None:
    one = candidate("a", outline(), outline())
    assert one.unsure == 0
    assert one.differs == 0


def test_a_hand_that_the_net_left_out_differs_from_the_landmarks() -> None:
    mask = outline()
    mask[30:50] = 0
    one = candidate("a", mask, outline())
    assert one.differs == pytest.approx(0.5)
    assert one.unsure == 0


def test_a_net_that_cannot_decide_is_unsure() -> None:
    assert candidate("a", 0.5 * outline(), outline()).unsure == pytest.approx(1)


def test_a_picture_without_any_face_is_scored_too() -> None:
    nothing = np.zeros(SHAPE_HW, np.float32)
    assert candidate("a", nothing, nothing).differs == 1


def test_the_doubtful_come_first() -> None:
    faces = [
        made("a_00000_0.jpg", 0.01, 0.02, at=0),
        made("a_01000_0.jpg", 0.5, 0.6, at=4),
        made("a_02000_0.jpg", 0.2, 0.2, at=8),
    ]
    order = label_order(faces)
    assert names(order) == ["a_01000_0.jpg", "a_02000_0.jpg", "a_00000_0.jpg"]
    assert [c.score for c in order] == sorted((c.score for c in order), reverse=True)


def test_neighbours_of_one_second_do_not_fill_the_list() -> None:
    burst = [made(f"a_{100 + i:05d}_0.jpg", 0.9, 0.9, at=3) for i in range(10)]
    calm = [made(f"a_{1000 * i:05d}_0.jpg", 0.3, 0.3, at=3 + i) for i in range(2, 6)]
    chosen = names(label_order([*burst, *calm], count=5))
    assert sum(name in {face.name for face in burst} for name in chosen) == 1


def test_the_same_frame_number_of_another_clip_is_another_moment() -> None:
    faces = [made("a_00010_0.jpg", at=0), made("b_00010_0.jpg", at=5), made("a_00011_0.jpg", at=9)]
    assert names(label_order(faces, count=2)) == ["a_00010_0.jpg", "b_00010_0.jpg"]


def test_what_is_beside_a_labelled_face_comes_later() -> None:
    faces = [made("a_00010_0.jpg", 0.5, 0.5, at=0), made("a_09000_0.jpg", 0.3, 0.3, at=8)]
    assert names(label_order(faces))[0] == "a_00010_0.jpg"
    assert names(label_order(faces, labelled=["a_00011_0.jpg"]))[0] == "a_09000_0.jpg"


def test_a_situation_seen_again_much_later_is_worth_less() -> None:
    faces = [
        made("a_00000_0.jpg", 0.9, 0.9, at=0),
        made("a_05000_0.jpg", 0.8, 0.8, at=0),
        made("a_09000_0.jpg", 0.7, 0.7, at=8),
    ]
    assert names(label_order(faces))[1] == "a_09000_0.jpg"


def test_the_list_is_as_long_as_asked_and_no_longer_than_the_faces() -> None:
    faces = [made(f"{i}.jpg", at=i) for i in range(5)]
    assert len(label_order(faces, count=3)) == 3
    assert sorted(names(label_order(faces, count=50))) == sorted(face.name for face in faces)
    assert label_order([]) == []
