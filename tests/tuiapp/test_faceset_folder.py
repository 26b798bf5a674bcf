from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace
from engine.stages.label_session.face_trash import FaceTrash
from tests.support.disks import small_disk
from tests.tuiapp.faces_made import made_faces, made_index
from tuiapp.bridge.face_facts import faceset_version, read_faceset
from tuiapp.bridge.face_folder import (
    list_faces,
    move_to_trash,
    newest_trash,
    restore,
    trash_folder,
)
from tuiapp.bridge.face_likeness import near_duplicates, same_person
from tuiapp.bridge.thumbnails import THUMB_EDGE_PX, Thumbnails, small_square


@pytest.fixture
def faces(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    made_faces(workspace.src.aligned, 5)
    return workspace


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_visible_face_files_are_listed_whatever_their_suffix_looks_like(
    faces: Workspace,
) -> None:
    for name in (".00009.jpg", "faceset.pak", "notes.txt", "B.JPEG"):
        (faces.src.aligned / name).write_bytes(b"x")
    assert [face.name for face in list_faces(faces.src)][-2:] == ["00005_0.jpg", "B.JPEG"]
    assert list_faces(faces.dst) == []


def test_faces_go_to_a_trash_of_their_own_and_come_back_the_newest_first(faces: Workspace) -> None:
    side, listed = faces.src, list_faces(faces.src)
    before = {path.name: path.read_bytes() for path in side.aligned.iterdir()}
    first = move_to_trash(side, listed[:2])
    second = move_to_trash(side, listed[2:3])
    assert names(side.aligned) == ["00004_0.jpg", "00005_0.jpg"]
    assert first.folder.parent == second.folder.parent == side.frames / "aligned_trash"
    for batch in (second, first):
        assert newest_trash(side) == batch.folder
        restore(side, batch.folder)
    assert {path.name: path.read_bytes() for path in side.aligned.iterdir()} == before
    assert newest_trash(side) is None


def test_faces_that_a_link_keeps_on_another_disk_are_trashed_and_come_back(
    faces: Workspace, tmp_path: Path
) -> None:
    side = faces.src
    before = names(side.aligned)
    with small_disk(tmp_path / "disk", "4m") as disk:
        shutil.copytree(side.aligned, disk, dirs_exist_ok=True)
        shutil.rmtree(side.aligned)
        side.aligned.symlink_to(disk)
        trash, name = FaceTrash(side), before[-1]
        trash.put(name)
        assert name not in names(disk)
        assert trash.bring_back() == name
        moved = move_to_trash(side, list_faces(side)[:2])
        assert names(moved.folder) == before[:2]
        assert restore(side, moved.folder).count == 2
        assert names(disk) == before


def test_a_file_that_was_replaced_since_it_was_seen_is_not_trashed(faces: Workspace) -> None:
    side, listed = faces.src, list_faces(faces.src)
    (side.aligned / listed[0].name).write_bytes(b"another face")
    (side.aligned / listed[1].name).unlink()
    moved = move_to_trash(side, listed[:2])
    assert moved.count == 0
    assert (side.aligned / listed[0].name).read_bytes() == b"another face"
    assert names(trash_folder(side)) == []


def test_coming_back_takes_the_place_of_no_other_face(faces: Workspace) -> None:
    side, listed = faces.src, list_faces(faces.src)
    moved = move_to_trash(side, listed[:2])
    (side.aligned / listed[0].name).write_bytes(b"extracted meanwhile")
    back = restore(side, moved.folder)
    assert (back.count, back.in_the_way) == (1, (listed[0].name,))
    assert (side.aligned / listed[0].name).read_bytes() == b"extracted meanwhile"
    assert names(moved.folder) == [listed[0].name]


def test_a_trash_of_taken_names_keeps_no_older_one_from_coming_back(faces: Workspace) -> None:
    side, listed = faces.src, list_faces(faces.src)
    older, newer = (move_to_trash(side, [face]) for face in listed[:2])
    (side.aligned / listed[1].name).write_bytes(b"extracted meanwhile")
    assert newest_trash(side) == older.folder
    restore(side, older.folder)
    assert newest_trash(side) == newer.folder


def test_trash_folders_of_a_sort_are_not_brought_back(faces: Workspace) -> None:
    (trash_folder(faces.src) / "20990101-000000-hist").mkdir(parents=True)
    assert newest_trash(faces.src) is None


def test_renamed_faces_are_known_by_time_and_size_unless_two_share_them(faces: Workspace) -> None:
    files = sorted(faces.src.aligned.iterdir())
    for file in files[:2]:
        file.write_bytes(b"alike")
        os.utime(file, ns=(10**18, 10**18))
    made_index(faces, "src")
    for n, file in enumerate(files):
        file.rename(file.with_name(f"{90000 - n}.jpg"))
    known = {face.name: face.source_filename for face in read_faceset(faces, "src").faces}
    assert known["89999.jpg"] == known["90000.jpg"] == ""
    assert [known[f"{90000 - n}.jpg"] for n in (2, 3, 4)] == ["00003.png", "00004.png", "00005.png"]


def test_faces_are_joined_with_what_the_index_knows_of_them_as_they_are(faces: Workspace) -> None:
    made_index(faces, "src")
    (faces.src.aligned / "00001_0.jpg").write_bytes(b"replaced")
    facts = read_faceset(faces, "src")
    assert (len(facts.faces), facts.indexed) == (5, 4)
    assert facts.faces[0].yaw_rad is None
    assert facts.faces[2].yaw_rad == pytest.approx(0.3)
    assert facts.faces[2].source_filename == "00003.png"


def test_a_faceset_without_an_index_or_with_a_broken_one_is_listed_by_name(
    faces: Workspace,
) -> None:
    assert read_faceset(faces, "src").indexed == 0
    made_faces(faces.src.aligned, 200)
    made_index(faces, "src")
    index = faces.state / "index" / "src.sqlite"
    whole = index.read_bytes()
    index.write_bytes(b"no database" * 1000)
    assert read_faceset(faces, "src").indexed == 0
    index.write_bytes(whole[: 10 * 4096] + bytes(len(whole) - 10 * 4096))
    facts = read_faceset(faces, "src")
    assert (len(facts.faces), facts.indexed) == (200, 0)
    assert "index" in facts.problem


def test_the_faceset_is_known_to_have_changed(faces: Workspace) -> None:
    versions = [faceset_version(faces, "src")]
    move_to_trash(faces.src, list_faces(faces.src)[:1])
    versions.append(faceset_version(faces, "src"))
    made_index(faces, "src")
    versions.append(faceset_version(faces, "src"))
    assert len(set(versions)) == 3


def test_of_faces_that_look_alike_all_but_the_sharpest_are_duplicates(faces: Workspace) -> None:
    made_index(faces, "src")
    listed = read_faceset(faces, "src").faces
    assert near_duplicates(faces, "src", listed) == {listed[0].key}
    assert near_duplicates(faces, "src", list_faces(faces.src)) is None


def test_one_persons_faces_are_found_by_identity(faces: Workspace) -> None:
    listed = read_faceset(faces, "src").faces
    assert same_person(faces, "src", listed, listed[0]) is None
    made_index(faces, "src")
    listed = read_faceset(faces, "src").faces
    assert same_person(faces, "src", listed, listed[0]) == {listed[0].key, listed[1].key}


def test_thumbnails_are_kept_and_made_again_for_a_changed_file(faces: Workspace) -> None:
    kept = faces.state / "thumbs"
    thumbnails = Thumbnails(kept, faces.src)
    [face] = list_faces(faces.src)[:1]
    first = thumbnails.get(face)
    assert first.shape == (THUMB_EDGE_PX, THUMB_EDGE_PX, 3)
    shutil.move(faces.src.aligned / face.name, faces.root / "away.jpg")
    assert (abs(thumbnails.get(face).astype(int) - first) < 12).all()
    Image.new("RGB", (64, 64), (0, 255, 0)).save(faces.src.aligned / face.name)
    [changed] = [other for other in list_faces(faces.src) if other.name == face.name]
    assert thumbnails.get(changed)[60, 60, 1] > 240


def test_a_damaged_thumbnail_is_made_again(faces: Workspace) -> None:
    kept = faces.state / "thumbs"
    thumbnails = Thumbnails(kept, faces.src)
    [face] = list_faces(faces.src)[:1]
    first = thumbnails.get(face)
    [file] = kept.rglob("*.jpg")
    file.write_bytes(file.read_bytes()[:100])
    assert (thumbnails.get(face) == first).all()


def test_a_place_for_thumbnails_that_cannot_be_written_costs_only_time(faces: Workspace) -> None:
    (faces.state).mkdir()
    (faces.state / "thumbs").write_bytes(b"a file in the way")
    thumbnails = Thumbnails(faces.state / "thumbs", faces.src)
    [face] = list_faces(faces.src)[:1]
    assert thumbnails.get(face).any()
    assert "thumbs" in thumbnails.not_kept


def test_what_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    for name, data in (("a.jpg", b"no picture"), ("b.jpg", b""), ("c.jpg", b"\xff\xd8\xff\xe0")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            small_square((tmp_path / name).read_bytes(), name)


def test_a_wide_picture_keeps_its_shape_in_its_square(tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), (255, 255, 255)).save(tmp_path / "wide.jpg")
    thumb = small_square((tmp_path / "wide.jpg").read_bytes(), "wide.jpg")
    lit = thumb[:, THUMB_EDGE_PX // 2, 0] > 128
    assert lit.sum() == pytest.approx(THUMB_EDGE_PX / 2, abs=2)
