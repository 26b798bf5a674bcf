"""What xseg-order found is what the editor jumps along."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.label_order import LabelOrder, SuggestedFace, order_path, write_label_order
from engine.protocol.workspace import Workspace
from tests.stages.facesets import faceset
from tests.stages.label_session.serving import serving


def test_faces_worth_labelling_are_told_best_first_without_those_that_are_gone(
    tmp_path: Path,
) -> None:
    faceset(tmp_path)
    names = ("00002_0.jpg", "gone_0.jpg", "00000_0.jpg")
    faces = tuple(SuggestedFace(name, 0.5, 0.5, 0.5) for name in names)
    write_label_order(Workspace(tmp_path), "src", LabelOrder("a model", faces))
    with serving(tmp_path) as viewer:
        assert viewer.state(lambda state: state.faces == 3).suggested == (2, 0)


def test_a_damaged_list_is_told_of_and_stops_nothing(tmp_path: Path) -> None:
    faceset(tmp_path)
    path = order_path(Workspace(tmp_path), "src")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{")
    with serving(tmp_path) as viewer:
        assert viewer.state(lambda state: state.faces == 3).suggested == ()
    assert "src.order.json" in viewer.context.warnings[0]
