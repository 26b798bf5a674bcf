"""Faces named after their frames again: every face keeps its picture, no file is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.stages.faceset_recover_names.names import plan_renaming, stem_of_source
from tests.faces.face_files import plain_jpeg
from tests.stages.packing import face_bytes, loose, run_stage, workspace


def recovered(root: Path, faces: dict[str, bytes]) -> dict[str, bytes]:
    aligned = workspace(root, faces)
    run_stage(root, "faceset-recover-names")
    return loose(aligned)


def test_sorted_faces_get_the_names_of_their_frames_back(tmp_path: Path) -> None:
    a, b, c = face_bytes(1), face_bytes(2), face_bytes(3)
    assert recovered(tmp_path, {"00000.jpg": c, "00001.jpg": a, "00002.jpg": b}) == {
        "00001_0.jpg": a,
        "00002_0.jpg": b,
        "00003_0.jpg": c,
    }


def test_faces_of_one_frame_are_numbered_in_the_order_of_their_names(tmp_path: Path) -> None:
    a, b, c = (face_bytes(seed, "00007.png") for seed in (1, 2, 3))
    assert recovered(tmp_path, {"2.jpg": a, "10.jpg": b, "1.jpg": c}) == {
        "00007_0.jpg": c,
        "00007_1.jpg": a,
        "00007_2.jpg": b,
    }


def test_faces_that_have_each_others_names_change_places(tmp_path: Path) -> None:
    a, b = face_bytes(1), face_bytes(2)
    assert recovered(tmp_path, {"00002_0.jpg": a, "00001_0.jpg": b}) == {
        "00001_0.jpg": a,
        "00002_0.jpg": b,
    }


def test_frames_that_differ_in_their_ending_only_do_not_replace_each_others_faces(
    tmp_path: Path,
) -> None:
    a, b = face_bytes(1, "a.jpg"), face_bytes(2, "a.png")
    assert recovered(tmp_path, {"x.jpg": a, "y.jpg": b}) == {"a_0.jpg": a, "a_1.jpg": b}


def test_a_name_that_another_picture_has_is_left_out(tmp_path: Path) -> None:
    a, photo = face_bytes(1), plain_jpeg()
    files = {"x.jpg": a, "00001_0.jpg": photo, "00001_1.jpg": face_bytes(5)[:-50]}
    assert recovered(tmp_path, files) == {
        "00001_2.jpg": a,
        "00001_0.jpg": photo,
        "00001_1.jpg": files["00001_1.jpg"],
    }


def test_other_endings_become_the_one_that_deepfacelab_knows(tmp_path: Path) -> None:
    a, b = face_bytes(1), face_bytes(2)
    assert recovered(tmp_path, {"x.JPG": a, "00002_0.jpeg": b}) == {
        "00001_0.jpg": a,
        "00002_0.jpg": b,
    }


def test_names_that_are_right_stay_and_running_again_changes_nothing(tmp_path: Path) -> None:
    faces = {f"00001_{n}.jpg": face_bytes(n, "00001.png") for n in range(12)}
    aligned = workspace(tmp_path, faces)
    assert recovered(tmp_path, {}) == faces
    context = run_stage(tmp_path, "faceset-recover-names")
    assert (context.facts["renamed"], context.facts["right_already"]) == (0, 12)
    assert loose(aligned) == faces


@pytest.mark.parametrize(
    "source", ["../../x.png", "/etc/x.png", "a\\b.png", ".hidden", "x" * 300, "\udc80.png", ""]
)
def test_a_source_name_that_could_lead_elsewhere_is_not_used(source: str) -> None:
    assert stem_of_source(source) is None


def test_faces_without_a_source_keep_their_names_and_are_told(tmp_path: Path) -> None:
    face = face_bytes(1, "../00001.png")
    aligned = workspace(tmp_path, {"x.jpg": face, "y.jpg": face_bytes(2)})
    context = run_stage(tmp_path, "faceset-recover-names")
    assert loose(aligned) == {"x.jpg": face, "00002_0.jpg": face_bytes(2)}
    assert any("x.jpg" in text for text in context.warnings)
    assert context.facts["without_source"] == 1


def test_a_file_that_cannot_be_read_is_told_once_by_its_name(tmp_path: Path) -> None:
    workspace(tmp_path, {"x.jpg": b"", "y.jpg": face_bytes(2)})
    context = run_stage(tmp_path, "faceset-recover-names")
    assert context.warnings == ["'x.jpg' keeps its name: the file is empty (0 bytes)"]
    assert all(context.remedies)


_ORDINARY = st.one_of(
    st.integers(0, 12).map(lambda n: f"{n}.jpg"),
    st.tuples(st.sampled_from(["a", "b", "a_0"]), st.integers(0, 11)).map(
        lambda pair: f"{pair[0]}_{pair[1]}.jpg"
    ),
)
_BETWEEN = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3)).map(
    lambda pair: f"{pair[0]}_{pair[1]}.recovering.jpg"
)
_STEMS = st.sampled_from(["a", "b", "a_0"])


class Folder:
    """Faces by name, renamed by plans as the stage does, and names that others have."""

    def __init__(self, sources: dict[str, str], others: set[str]) -> None:
        self.stems = {f"face {name}": stem for name, stem in sources.items()}
        self.others = others - sources.keys()
        self.faces = {name: f"face {name}" for name in sources}

    def recover(self, steps: int | None = None) -> dict[str, str]:
        """Plan, and carry out the plan up to that many renames (None: all)."""
        sources = {name: self.stems[face] for name, face in self.faces.items()}
        plan = plan_renaming(sources, self.others)
        moves = [(r.old, r.between) for r in plan] + [(r.between, r.new) for r in plan]
        for old, new in [move for move in moves if move[0] != move[1]][:steps]:
            assert new not in self.faces
            assert new not in self.others
            self.faces[new] = self.faces.pop(old)
        return self.faces


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(_ORDINARY, _STEMS, max_size=14), st.sets(_ORDINARY, max_size=3), st.data())
def test_a_plan_cut_off_anywhere_and_made_again_leads_to_the_same_names(
    sources: dict[str, str], others: set[str], data: st.DataObject
) -> None:
    whole = Folder(sources, others).recover()
    folder = Folder(sources, others)
    for _ in range(3):
        folder.recover(data.draw(st.integers(0, 2 * len(sources) + 1)))
    assert folder.recover() == whole


@settings(max_examples=400, deadline=None)
@example({"a_1.recovering.jpg": "a"}, {"a_1.jpg"})
@given(
    st.dictionaries(_ORDINARY | _BETWEEN, _STEMS, max_size=14),
    st.sets(_ORDINARY | _BETWEEN, max_size=3),
)
def test_whatever_names_there_are_every_face_gets_one_of_its_frame(
    sources: dict[str, str], others: set[str]
) -> None:
    folder = Folder(sources, others)
    named = folder.recover()
    assert sorted(named.values()) == sorted(folder.stems)
    assert all(name.startswith(f"{folder.stems[face]}_") for name, face in named.items())
