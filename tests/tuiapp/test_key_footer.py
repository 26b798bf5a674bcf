from __future__ import annotations

import pytest

from engine.protocol.workspace import Workspace
from tests.tuiapp.seen import opened, until
from tuiapp.app import FacewrightApp
from tuiapp.graphics.textual_hooks import FooterKey


def whole_keys(app: FacewrightApp) -> list[str]:
    """The words of the keys that are seen whole."""
    keys = app.screen.query(FooterKey)
    limit = min(
        (key.region.x for key in keys if key.has_class("-command-palette")), default=app.size.width
    )
    assert all(
        key.has_class("-command-palette") or key.region.right - 1 <= limit for key in keys
    ), [(key.description, key.region) for key in keys]
    return [key.description for key in keys]


@pytest.mark.parametrize("width", [44, 80])
async def test_keys_without_room_are_left_out_and_none_is_cut_off(
    workspace: Workspace, width: int
) -> None:
    async with opened(workspace, size=(width, 24)) as (app, pilot):
        await until(pilot, lambda: len(app.screen.query(FooterKey)) > 3)
        narrow = whole_keys(app)
        assert narrow[0] == "Next step" and narrow[-1] == "palette"
        assert "Quit" not in narrow and ("Help" in narrow) is (width == 80)
        await pilot.resize_terminal(200, 40)
        await until(pilot, lambda: len(app.screen.query(FooterKey)) > len(narrow))
        assert {"Quit", *narrow} <= set(whole_keys(app))
