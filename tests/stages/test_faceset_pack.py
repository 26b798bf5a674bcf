"""Packing and unpacking: every face is there before and after, and only packed files leave."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.faces.faceset import open_faceset
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.workspace import Workspace
from engine.stages.faceset_pack.run import pack_faceset
from engine.stages.faceset_unpack.run import unpack_faceset
from tests.faces.face_files import pack, plain_jpeg
from tests.stages.packing import (
    face_bytes,
    loose,
    packed,
    run_stage,
    some_faces,
    start,
    trashed,
    workspace,
)
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.support.tree import tree


def row(name: str, person: str | None = None) -> dict[str, object]:
    return {"filename": name, "person_name": person, "face_type": 4, "sample_type": 1}


def test_faces_are_packed_and_stay_as_files_by_default(tmp_path: Path) -> None:
    faces = some_faces(4)
    aligned = workspace(tmp_path, faces)
    context = run_stage(tmp_path, "faceset-pack")
    assert packed(aligned / "faceset.pak") == faces == loose(aligned)
    counts = {"faces": 4, "written": 4, "left_out": 0, "originals_to_trash": 0}
    assert {name: context.facts[name] for name in counts} == counts
    assert not Workspace(tmp_path).trash.exists()


def test_packed_originals_go_to_the_trash_and_nothing_else_does(tmp_path: Path) -> None:
    faces = some_faces(3)
    others = {"photo.jpg": plain_jpeg(), "half.jpg": face_bytes(9)[:-99]}
    aligned = workspace(tmp_path, {**faces, **others, "notes.txt": b"mine"})
    before = tree(aligned)
    with pytest.raises(ConfirmationNeeded, match="up to 5 packed files"):
        run_stage(tmp_path, "faceset-pack", delete_originals=True)
    assert tree(aligned) == before
    context = run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    assert packed(aligned / "faceset.pak") == faces
    assert loose(aligned) == others
    assert (aligned / "notes.txt").read_bytes() == b"mine"
    assert [trashed(tmp_path, name) for name in faces] == [[data] for data in faces.values()]
    assert len([text for text in context.warnings if "is left out" in text]) == 2
    assert all(context.remedies)
    counts = {"faces": 3, "written": 3, "left_out": 2, "originals_to_trash": 3}
    assert {name: context.facts[name] for name in counts} == counts


def test_a_disk_without_room_for_the_faces_is_told_before_anything_is_written(
    tmp_path: Path,
) -> None:
    files = [face_bytes(number) for number in range(3)]
    rows = [row(f"{number}.jpg") for number in range(3)]
    with small_disk(tmp_path / "disk", "256k") as disk:
        aligned = workspace(disk, {"faceset.pak": pack(rows, files, absolute_end=True)})
        context = context_for(disk, "faceset-unpack")
        free_bytes = shutil.disk_usage(disk).free
        (disk / "fill").write_bytes(bytes(free_bytes - len(files[0])))
        with pytest.raises(InputError, match=r"\d\.\d MB of faces, \d\.\d MB are free") as refusal:
            start(context, "faceset-unpack")
        assert refusal.value.code == "disk-full"
        assert loose(aligned) == {}


def test_faces_that_a_link_keeps_on_another_disk_are_packed_and_unpacked(tmp_path: Path) -> None:
    faces = some_faces(2)
    with small_disk(tmp_path / "disk", "4m") as disk:
        (tmp_path / "data_dst").symlink_to(disk)
        aligned = workspace(tmp_path, faces)
        run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
        assert (packed(aligned / "faceset.pak"), loose(aligned)) == (faces, {})
        run_stage(tmp_path, "faceset-unpack")
        assert loose(aligned) == faces
        assert not (aligned / "faceset.pak").exists()
    assert [trashed(tmp_path, name) for name in faces] == [[data] for data in faces.values()]


def test_sub_folders_are_persons_and_faces_beside_them_are_packed_too(tmp_path: Path) -> None:
    faces = {
        "top.jpg": face_bytes(1),
        "ann/a.jpg": face_bytes(2),
        "ann/b.jpg": face_bytes(3),
        "bob/a.jpg": face_bytes(4),
    }
    aligned = workspace(tmp_path, {**faces, "bob/notes.txt": b"mine"})
    context = run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    assert packed(aligned / "faceset.pak") == faces
    assert [(entry.person_name, entry.name) for entry in open_faceset(aligned)] == [
        (None, "top.jpg"),
        ("ann", "a.jpg"),
        ("ann", "b.jpg"),
        ("bob", "a.jpg"),
    ]
    assert not (aligned / "ann").exists()
    assert (aligned / "bob" / "notes.txt").exists()
    assert context.facts["persons"] == 2


def test_a_person_whose_folder_is_a_link_is_packed_and_the_link_stays(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {"top.jpg": face_bytes(1)})
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "a.jpg").write_bytes(face_bytes(2))
    (aligned / "ann").symlink_to(tmp_path / "ann")
    run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    assert packed(aligned / "faceset.pak") == {"top.jpg": face_bytes(1), "ann/a.jpg": face_bytes(2)}
    assert not list((tmp_path / "ann").iterdir())
    assert (aligned / "ann").is_symlink()
    run_stage(tmp_path, "faceset-unpack")
    assert (tmp_path / "ann" / "a.jpg").read_bytes() == face_bytes(2)


def test_sub_folders_that_are_no_persons_are_left_alone(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {"top.jpg": face_bytes(1), "old/a.jpg": face_bytes(2)})
    run_stage(tmp_path, "faceset-pack", persons=False, delete_originals=True, confirmed=True)
    assert packed(aligned / "faceset.pak") == {"top.jpg": face_bytes(1)}
    assert loose(aligned) == {"old/a.jpg": face_bytes(2)}


def test_a_pack_of_these_faces_is_not_written_again(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {**some_faces(3), "photo.jpg": plain_jpeg()})
    run_stage(tmp_path, "faceset-pack")
    written = (aligned / "faceset.pak").stat()
    context = run_stage(tmp_path, "faceset-pack")
    assert (aligned / "faceset.pak").stat() == written
    assert context.reported == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]  # comparing takes minutes


def test_packing_again_when_all_is_packed_does_nothing(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {**some_faces(2), "photo.jpg": plain_jpeg()})
    run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    before = tree(aligned)
    facts = run_stage(tmp_path, "faceset-pack", delete_originals=True).facts
    assert (facts["faces"], facts["written"], facts["originals_to_trash"]) == (2, 0, 0)
    assert tree(aligned) == before


def test_a_pack_of_other_faces_is_replaced_only_with_a_confirmation_and_kept(
    tmp_path: Path,
) -> None:
    aligned = workspace(tmp_path, some_faces(3))
    run_stage(tmp_path, "faceset-pack")
    earlier = (aligned / "faceset.pak").read_bytes()
    (aligned / "00002_0.jpg").write_bytes(face_bytes(7))
    before = tree(aligned)
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, "faceset-pack")
    assert tree(aligned) == before
    run_stage(tmp_path, "faceset-pack", confirmed=True)
    assert packed(aligned / "faceset.pak") == loose(aligned)
    assert trashed(tmp_path, "faceset.pak") == [earlier]


def test_fewer_faces_than_the_pack_holds_make_a_new_pack(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(3))
    run_stage(tmp_path, "faceset-pack")
    (aligned / "00002_0.jpg").unlink()
    run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    assert list(packed(aligned / "faceset.pak")) == ["00001_0.jpg", "00003_0.jpg"]


def test_a_damaged_pack_is_told_and_replaced_when_confirmed(tmp_path: Path) -> None:
    faces = some_faces(2)
    aligned = workspace(tmp_path, {**faces, "faceset.pak": b"nonsense"})
    with pytest.raises(ConfirmationNeeded):
        run_stage(tmp_path, "faceset-pack")
    run_stage(tmp_path, "faceset-pack", confirmed=True)
    assert packed(aligned / "faceset.pak") == faces
    assert trashed(tmp_path, "faceset.pak") == [b"nonsense"]


def test_without_faces_there_is_nothing_to_pack(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no faces"):
        run_stage(tmp_path, "faceset-pack")
    assert not (tmp_path / "data_dst").exists()


def test_packing_again_after_unpacking_gives_the_same_bytes(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, {**some_faces(3), "ann/a.jpg": face_bytes(8)})
    before = loose(aligned)
    run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    first = (aligned / "faceset.pak").read_bytes()
    run_stage(tmp_path, "faceset-unpack")
    assert loose(aligned) == before
    assert not (aligned / "faceset.pak").exists()
    assert trashed(tmp_path, "faceset.pak") == [first]
    run_stage(tmp_path, "faceset-pack")
    assert (aligned / "faceset.pak").read_bytes() == first


def test_unpacking_does_not_replace_other_files_without_a_confirmation(tmp_path: Path) -> None:
    aligned = workspace(tmp_path, some_faces(3))
    run_stage(tmp_path, "faceset-pack")
    mine = face_bytes(7)
    (aligned / "00002_0.jpg").write_bytes(mine)
    (aligned / "extra.jpg").write_bytes(mine)
    before = tree(aligned)
    with pytest.raises(ConfirmationNeeded, match=r"00002_0\.jpg"):
        run_stage(tmp_path, "faceset-unpack")
    assert tree(aligned) == before
    context = run_stage(tmp_path, "faceset-unpack", confirmed=True)
    assert loose(aligned) == {**some_faces(3), "extra.jpg": mine}
    assert trashed(tmp_path, "00002_0.jpg") == [mine]
    assert (context.facts["written"], context.facts["there_already"]) == (1, 2)
    assert context.reported[:4] == [(0, None), (0, 3), (1, 3), (2, 3)]


def test_damaged_faces_stay_in_the_pack_and_the_pack_stays(tmp_path: Path) -> None:
    good, cut = face_bytes(1), face_bytes(2)[:-50]
    data = pack([row("a.jpg"), row("b.jpg")], [good, cut], absolute_end=True)
    aligned = workspace(tmp_path, {"faceset.pak": data})
    context = run_stage(tmp_path, "faceset-unpack")
    assert loose(aligned) == {"a.jpg": good}
    assert (aligned / "faceset.pak").read_bytes() == data
    assert context.facts["damaged"] == 1
    assert any("b.jpg" in text for text in context.warnings)
    assert all(context.remedies)


@pytest.mark.parametrize(
    "rows",
    [
        [row("faceset.pak")],
        [row("meta.dat")],
        [row(".hidden.jpg")],
        [row("a.sh")],
        [row("a.jpg", ".hidden")],
        [row("\ud800.jpg")],
        [row("ü" * 200 + ".jpg")],
        [row("a.jpg", "ü" * 200)],
        [row("a.jpg"), row("a.jpg")],
    ],
    ids=str,
)
def test_names_that_no_face_file_has_are_refused_before_anything_is_written(
    rows: list[dict[str, object]], tmp_path: Path
) -> None:
    data = pack(rows, [face_bytes(1)] * len(rows), absolute_end=False)
    workspace(tmp_path, {"faceset.pak": data})
    before = tree(tmp_path / "data_dst")
    with pytest.raises(InputError) as refusal:
        run_stage(tmp_path, "faceset-unpack")
    assert refusal.value.code == "broken-pack"
    assert tree(tmp_path / "data_dst") == before


def test_without_a_pack_there_is_nothing_to_unpack(tmp_path: Path) -> None:
    workspace(tmp_path, some_faces(1))
    with pytest.raises(InputError, match=r"no faceset\.pak"):
        run_stage(tmp_path, "faceset-unpack")


def test_a_stopped_packing_changes_nothing_and_a_stopped_unpacking_goes_on(
    tmp_path: Path,
) -> None:
    faces = some_faces(6)
    aligned = workspace(tmp_path, faces)
    packing = context_for(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    packing.stop_after = 2
    with pytest.raises(Stopped):
        pack_faceset(packing)
    assert loose(aligned) == faces
    assert not (aligned / "faceset.pak").exists()
    run_stage(tmp_path, "faceset-pack", delete_originals=True, confirmed=True)
    unpacking = context_for(tmp_path, "faceset-unpack")
    unpacking.stop_after = 3
    with pytest.raises(Stopped):
        unpack_faceset(unpacking)
    written = len(loose(aligned))
    assert 0 < written < 6
    context = run_stage(tmp_path, "faceset-unpack")
    assert loose(aligned) == faces
    assert context.facts["written"] == 6 - written
