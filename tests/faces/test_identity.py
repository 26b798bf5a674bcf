"""People told apart by identities made up here: points around random centres."""

from __future__ import annotations

import tracemalloc

import numpy as np

from engine.faces.identity import Box, cluster, follow, nearest, people_of

BOX: Box = (100, 100, 200, 200)


def person(seed: int, count: int, spread: float = 0.3) -> np.ndarray:
    """Identities of one person: about `spread` apart from their middle, people 1 apart."""
    random = np.random.default_rng(seed)
    centre = random.normal(size=128)
    centre *= 0.75 / np.linalg.norm(centre)
    noise = random.normal(size=(count, 128)) * spread / np.sqrt(128)
    return (centre + noise).astype(np.float32)


def test_people_are_told_apart_and_the_one_with_most_faces_comes_first() -> None:
    vectors = np.concatenate([person(1, 5), person(2, 20), person(3, 9)])
    labels = cluster(vectors)
    assert labels.tolist() == [2] * 5 + [0] * 20 + [1] * 9


def test_the_order_of_the_faces_does_not_matter() -> None:
    vectors = np.concatenate([person(1, 30), person(2, 20), person(3, 10)])
    mixed = np.random.default_rng(0).permutation(60)
    assert cluster(vectors[mixed]).tolist() == cluster(vectors)[mixed].tolist()


def test_a_crowd_of_strangers_takes_little_memory_and_can_be_stopped() -> None:
    crowd = np.concatenate([person(seed, 1) for seed in range(1500)])
    asked: list[int] = []
    tracemalloc.start()
    labels = cluster(crowd, checkpoint=lambda: asked.append(0))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert labels.max() > 1000
    assert peak_bytes < 20e6
    assert len(asked) > 10


def test_people_who_come_near_to_each_other_are_one_the_nearest_pair_first() -> None:
    line = np.zeros((5, 128), np.float32)
    line[:, 0] = [0.0, 0.55, 1.2, 1.65, 3.0]
    heavy = np.array([9.0, 8.0, 7.0, 6.0, 5.0])
    assert cluster(line, heavy).tolist() == [1, 2, 0, 0, 3]


def test_nobody_is_no_one() -> None:
    assert cluster(np.empty((0, 128), np.float32)).tolist() == []


def test_faces_are_ordered_by_distance_to_a_reference() -> None:
    vectors = np.concatenate([person(1, 3), person(2, 3)])
    order, distances = nearest(vectors[4], vectors)
    assert order[0] == 4 and set(order[:3].tolist()) == {3, 4, 5}
    assert distances[4] == 0 and (distances[:3] > 0.6).all()


def test_a_face_is_followed_from_frame_to_frame_until_another_person_is_there() -> None:
    vectors = np.concatenate([person(1, 3), person(2, 2)])
    frames = [f"{number:05d}.png" for number in range(5)]
    boxes: list[Box | None] = [(100 + step, 100, 200 + step, 200) for step in range(5)]
    assert follow(frames, boxes, vectors).tolist() == [0, 0, 0, 1, 1]


def test_two_faces_of_a_frame_are_never_one_track() -> None:
    vectors = person(1, 2)
    assert len(set(follow(["1.png", "1.png"], [BOX, BOX], vectors).tolist())) == 2


def test_faces_without_frame_or_box_stand_alone() -> None:
    vectors = person(1, 4)
    tracks = follow(["", "", "1.png", "2.png"], [BOX, BOX, None, BOX], vectors)
    assert len(set(tracks.tolist())) == 4


def test_a_face_that_is_hard_to_tell_goes_with_the_track_it_belongs_to() -> None:
    vectors = np.concatenate([person(1, 20, spread=0.1), person(2, 20, spread=0.1)])
    toward = vectors[30] - vectors[10]
    vectors[10] += 0.55 * toward / np.linalg.norm(toward)
    alone = cluster(vectors)
    assert alone[10] != alone[9]
    frames = [f"{number:05d}.png" for number in range(40)]
    labels, _ = people_of(frames, [BOX] * 40, vectors)
    assert labels[10] == labels[9] != labels[30]
