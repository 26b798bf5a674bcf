"""What the terminal can show: the probe's result, which every picture is drawn by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Protocol(StrEnum):
    """How a picture reaches the screen, best first; the last three are made of characters."""

    KITTY = "kitty"
    ITERM2 = "iterm2"
    SIXEL = "sixel"
    QUADRANT = "quadrant"
    HALF = "half"
    OFF = "off"

    @property
    def has_pixels(self) -> bool:
        return self in (Protocol.KITTY, Protocol.ITERM2, Protocol.SIXEL)


class Colours(StrEnum):
    """How many colours a character cell can have."""

    TRUECOLOR = "truecolor"
    PALETTE_256 = "256"
    ANSI_16 = "16"


@dataclass(frozen=True)
class TerminalGraphics:
    """The verdict of `probe.probe_terminal`; `why` says in words how it came about.

    Cell sizes are pixels. `passthrough` is true inside a tmux that hands sequences on to the
    terminal around it, `focus_events` where it tells its panes when they are left.
    `pixel_mouse`: the terminal can tell where the mouse is to the pixel (never through tmux).
    `colour_registers` and `max_picture_px` are limits for sixel pictures.
    """

    protocol: Protocol
    inside_tmux: bool = False
    cell_width_px: int = 10
    cell_height_px: int = 20
    synchronized_output: bool = False
    colours: Colours = Colours.TRUECOLOR
    why: str = ""
    passthrough: bool = False
    focus_events: bool = False
    pixel_mouse: bool = False
    colour_registers: int = 256
    max_picture_px: tuple[int, int] | None = None


def tmux_passthrough(sequence: str) -> str:
    """`sequence` in the wrapping that makes tmux hand it to the terminal around it unchanged."""
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"
