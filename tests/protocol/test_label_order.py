"""The list of faces to label next, as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol.errors import InputError
from engine.protocol.label_order import (
    LARGEST_BYTES,
    LabelOrder,
    SuggestedFace,
    order_path,
    read_label_order,
    write_label_order,
)
from engine.protocol.workspace import Workspace

FACES = (SuggestedFace("00012_0.jpg", 0.9, 0.5, 0.25), SuggestedFace("00200_0.jpg", 0.4, 0.1, 0.2))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    workspace, order = Workspace(tmp_path), LabelOrder("model/one_xseg", FACES)
    path = write_label_order(workspace, "dst", order)
    assert path == tmp_path / ".facewright" / "labels" / "dst.order.json"
    assert read_label_order(workspace, "dst") == order
    assert order.names == ("00012_0.jpg", "00200_0.jpg")
    assert read_label_order(workspace, "src") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{" * 100_000,
        b'{"model": "m", "faces": []}'.replace(b"]}", b'], "version": 2}'),
        b'{"model": "m", "faces": [], "kind": "another"}',
        b'{"model": "m", "faces": [{"name": "", "score": 0, "unsure": 0, "differs": 0}]}',
        b'{"model": "m", "faces": [{"name": "a", "score": 7, "unsure": 0, "differs": 0}]}',
        b'{"model": "m", "faces": ['
        + b",".join([b'{"name":"a","score":0,"unsure":0,"differs":0}'] * 1001)
        + b"]}",
        b" " * (LARGEST_BYTES + 1),
    ],
)
def test_a_file_that_is_no_order_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    path = order_path(Workspace(tmp_path), "dst")
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"dst\.order\.json") as refusal:
        read_label_order(Workspace(tmp_path), "dst")
    assert refusal.value.code == "label-order"
    assert "xseg-order" in refusal.value.remedy
