"""Commands from viewers to a running engine. Sending one twice does no harm."""

from __future__ import annotations

from typing import Any

import msgspec


class Command(msgspec.Struct, tag_field="cmd", forbid_unknown_fields=True, frozen=True):
    """Base of all commands."""


class Stop(Command, tag="stop", frozen=True):
    """Save and stop at the next unit of work."""


class Save(Command, tag="save", frozen=True):
    """Save the model now."""


class Backup(Command, tag="backup", frozen=True):
    """Save the model now and keep that save as a backup."""


class Preview(Command, tag="preview", frozen=True):
    """Make a new training preview now; `redraw` chooses other samples first."""

    redraw: bool = False


class SetOptions(Command, tag="set-options", frozen=True):
    """Change options whose life is `running`, by name: all together, or none if one is refused."""

    values: dict[str, Any]


class Ping(Command, tag="ping", frozen=True):
    """Ask for a `Hello`."""


class ViewerCommand(Command, frozen=True, kw_only=True):
    """Base of commands that are answered to the viewer that sent them, and to no other.

    sender: the connection it came by, by the number that the engine gave it (`StageContext.tell`);
        what a viewer writes here is not believed.
    """

    sender: int = 0


class ViewerLeft(ViewerCommand, tag="viewer-left", frozen=True):
    """The connection of `sender`, who sent a `ViewerCommand` before, has ended. The engine's own
    word: viewers cannot send it."""


RunCommand = Stop | Save | Backup | Preview | SetOptions | Ping
