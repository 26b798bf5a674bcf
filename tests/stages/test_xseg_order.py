"""xseg-order: a list of faces to label, from real nets with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.faces.face_file import read_face_data, rewrite_face_data
from engine.faces.masks import Polygon
from engine.protocol.errors import InputError, Stopped
from engine.protocol.label_order import order_path, read_label_order
from engine.protocol.workspace import Workspace
from engine.stages.xseg_order.run import run
from tests.models.xseg.made_xseg import write_dfl_xseg
from tests.support.clips import listing
from tests.support.context import context_for
from tests.train.made_faces import write_faceset

pytestmark = pytest.mark.slow  # each builds a whole net, of one channel


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_faceset(tmp_path / "data_dst" / "aligned", 12)
    write_dfl_xseg(tmp_path / "model")
    return tmp_path


def label(path: Path) -> None:
    data = read_face_data(path)
    assert data is not None
    corners = np.array([(10, 10), (100, 10), (50, 100)], np.float32)
    rewrite_face_data(path, replace(data, seg_ie_polys=(Polygon(True, corners),)))


def test_the_list_holds_the_faces_without_labels_and_tells_the_first_ten(root: Path) -> None:
    aligned = root / "data_dst" / "aligned"
    label(aligned / "00003_0.jpg")
    before = listing(aligned)
    context = context_for(root, "xseg-order", side="dst", device="cpu")
    run(context)
    order = read_label_order(Workspace(root), "dst")
    assert order is not None
    unlabelled = {path.name for path in aligned.iterdir()} - {"00003_0.jpg"}
    assert set(order.names) == unlabelled
    assert listing(aligned) == before
    assert context.facts["labelled"] == 1
    assert context.facts["suggested"] == 11
    assert len(context.notes) == 10
    assert context.notes[0].startswith(f"1. {order.names[0]}: ")


def test_so_many_faces_are_looked_at_and_listed_as_asked(root: Path) -> None:
    context = context_for(root, "xseg-order", side="dst", device="cpu", look_at=4, count=2)
    run(context)
    order = read_label_order(Workspace(root), "dst")
    assert order is not None
    assert len(order.faces) == 2
    assert context.facts["looked_at"] == 4


def test_a_damaged_face_is_left_out_and_told_of(root: Path) -> None:
    path = root / "data_dst" / "aligned" / "00005_0.jpg"
    jpeg = path.read_bytes()
    path.write_bytes(jpeg[: len(jpeg) // 2] + b"\xff\xd9")
    context = context_for(root, "xseg-order", side="dst", device="cpu")
    run(context)
    order = read_label_order(Workspace(root), "dst")
    assert order is not None
    assert len(context.warnings) == (path.name not in order.names)
    assert len(order.faces) in (11, 12)


def test_without_a_net_or_when_all_is_labelled_it_says_what_to_do(root: Path) -> None:
    (root / "model" / "XSeg_256.npy").unlink()
    with pytest.raises(InputError, match="XSeg") as refusal:
        run(context_for(root, "xseg-order", side="dst", device="cpu"))
    assert refusal.value.code == "no-xseg"
    for path in (root / "data_dst" / "aligned").iterdir():
        label(path)
    with pytest.raises(InputError, match="have labels"):
        run(context_for(root, "xseg-order", side="dst", device="cpu"))


def test_stopped_it_writes_nothing(root: Path) -> None:
    context = context_for(root, "xseg-order", side="dst", device="cpu")
    context.stop_requested = True
    with pytest.raises(Stopped):
        run(context)
    assert not order_path(Workspace(root), "dst").exists()
