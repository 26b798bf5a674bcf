"""Tiny facesets: face files as pictures, and an index of them as the engine would have left it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from PIL import Image

from engine.protocol.face_index import COLUMNS, INDEX_VERSION, SCHEMA, index_path, pack_points
from engine.protocol.workspace import Workspace

LANDMARKS = tuple((100.0 + 2 * n, 200.0 + n) for n in range(68))


def made_faces(folder: Path, count: int) -> list[Path]:
    """`count` JPEGs of a colour each: files alike in all but their names share no size."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n in range(count):
        path = folder / f"{n + 1:05d}_0.jpg"
        Image.new("RGB", (32, 32), (n * 40 % 256, 90, 255 - n * 40 % 256)).save(path)
        paths.append(path)
    return paths


def made_index(workspace: Workspace, side_name: str) -> None:
    """An index of the side's files: the n-th looks 0.1 n rad to the side, is 10 n sharp, came
    from frame n, and the first two look the same and are one person."""
    path = index_path(workspace, side_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        connection.execute(f"PRAGMA user_version = {INDEX_VERSION}")
        files = sorted(workspace.side(side_name).aligned.glob("*.jpg"))
        for n, file in enumerate(files, start=1):
            connection.execute(
                f"INSERT INTO faces VALUES ({', '.join('?' * len(COLUMNS))})", row_of(file, n)
            )
            connection.execute(
                "INSERT INTO details VALUES (?, ?, ?, ?, ?)",
                (n, pack_points(LANDMARKS), pack_points(LANDMARKS), thumb(n), identity(n)),
            )
    connection.close()


def made_pack(workspace: Workspace, side_name: str) -> None:
    """The side's indexed files become one pack, as the index knows it: only where the faces lie
    in it matters to the app, not its list."""
    side = workspace.side(side_name)
    packed, places = b"list", []
    for file in sorted(side.aligned.glob("*.jpg")):
        places.append((len(packed), file.stat().st_size, file.name))
        packed += file.read_bytes()
        file.unlink()
    side.pack.write_bytes(packed)
    mtime_ns = side.pack.stat().st_mtime_ns
    with sqlite3.connect(index_path(workspace, side_name)) as connection:
        statement = f"UPDATE faces SET mtime_ns = {mtime_ns}, pack_offset = ?, size_bytes = ?"
        connection.executemany(f"{statement} WHERE name = ?", places)
    connection.close()


def row_of(file: Path, n: int) -> tuple[object, ...]:
    status = file.stat()
    picture = (n, file.name, "", status.st_mtime_ns, status.st_size, f"{n:05d}.png", "wf", 32, 32)
    pose = (0.0, 0.1 * n, 0.0)
    phash = 0xFF if n <= 2 else (0x1111 << (8 * (n % 6)))
    return (*picture, *pose, 10.0 * n, 0.5, 0.0, 0.1, 400, 0, 0, phash, None)


def thumb(n: int) -> bytes:
    return bytes([10 if n <= 2 else 10 * n % 256]) * 24 * 24


def identity(n: int) -> bytes:
    import numpy as np

    vector = np.zeros(128, "<f4")
    vector[0 if n <= 2 else n % 128] = 1.0
    return vector.tobytes()
