"""Files written for other programs: nothing that is there is replaced unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.stages.outgoing_files import export_file
from tests.support.context import context_for


@pytest.mark.parametrize(
    ("folder", "refusal"), [("work/model", ConfirmationNeeded), ("out", InputError)]
)
def test_a_file_that_came_while_weights_were_read_is_not_replaced_unasked(
    tmp_path: Path, folder: str, refusal: type[Exception]
) -> None:
    target = tmp_path / folder / "net.onnx"
    target.parent.mkdir(parents=True)
    context = context_for(tmp_path / "work", "dfm-export")

    def read() -> bytes:
        target.write_bytes(b"of others")
        return b"ours"

    with pytest.raises(refusal, match="is there"):
        export_file(context, target, read, lambda data: data)
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"of others"]
