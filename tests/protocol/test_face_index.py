"""Reading an index: ranges, orders, changes; nothing readable is told as none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.faces.face_index import IndexWriter
from engine.protocol.errors import InputError
from engine.protocol.face_index import index_path, opened_index
from engine.protocol.workspace import Workspace
from tests.faces.made_facesets import bring_up_to_date, generated_index, make_faces


def test_faces_are_listed_by_any_range_and_order(tmp_path: Path) -> None:
    generated_index(tmp_path / "some.sqlite", 200)
    with opened_index(tmp_path / "some.sqlite") as index:
        assert index is not None
        everything = index.rows()
        wanted = [
            row
            for row in everything
            if row.yaw_rad is not None and row.yaw_rad >= 0.2 and row.sharpness <= 30
        ]
        found = index.rows(
            {"yaw": (0.2, None), "sharpness": (None, 30)}, order_by="yaw", descending=True
        )
        assert 10 < len(found) < 100
        assert found == sorted(wanted, key=lambda row: -(row.yaw_rad or 0))
        assert index.rows(limit=10, offset=5) == everything[5:15]
        assert index.count() == 200


def test_a_column_that_is_none_is_refused(tmp_path: Path) -> None:
    generated_index(tmp_path / "some.sqlite", 1)
    with opened_index(tmp_path / "some.sqlite") as index:
        assert index is not None
        with pytest.raises(ValueError, match="no column"):
            index.rows(order_by="1; DROP TABLE faces")
        with pytest.raises(ValueError, match="no column"):
            index.rows({"name; --": (0, 1)})


def test_added_changed_and_removed_files_are_noticed_without_opening_them(tmp_path: Path) -> None:
    side = Workspace(tmp_path).dst
    make_faces(side, 4)
    bring_up_to_date(tmp_path)
    with opened_index(index_path(Workspace(tmp_path), "dst")) as index:
        assert index is not None
        assert not index.changes(side)
        (side.aligned / "new.jpg").write_bytes(b"whatever")
        (side.aligned / "00001_0.jpg").write_bytes(b"other")
        (side.aligned / "00002_0.jpg").unlink()
        changes = index.changes(side)
    assert changes.added == ("new.jpg",)
    assert changes.changed == ("00001_0.jpg",)
    assert changes.removed == ("00002_0.jpg",)


@pytest.mark.parametrize("content", [b"", b"no database" * 100, b"SQLite format 3\0" + bytes(4096)])
def test_what_is_no_index_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dst.sqlite"
    path.write_bytes(content)
    with opened_index(path) as index:
        assert index is None


def test_an_index_of_another_version_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "dst.sqlite"
    generated_index(path, 1)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with opened_index(path) as index:
        assert index is None


def test_damage_inside_an_index_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "dst.sqlite"
    generated_index(path, 2000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\xaa" * (len(content) // 2))
    with pytest.raises(InputError, match="cannot be read"), opened_index(path) as index:
        assert index is not None
        index.rows()
        dict(index.blobs("thumb"))


def test_readers_see_what_is_committed_while_a_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "dst.sqlite"
    generated_index(path, 3)
    with IndexWriter(path) as writer, opened_index(path) as index:
        assert index is not None
        writer.add_identities([(1, b"x")])
        assert dict(index.identities([1])) == {}
        writer.commit()
        assert dict(index.identities([1])) == {1: b"x"}
