"""What terminals answer to the probe's questions, parsed; pure, tested on recorded answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The questions, all in one go. DA1 is last: every terminal answers it, so its answer says that no
# other will come.
QUESTIONS = (
    "\x1b[>0q",  # XTVERSION: name and version
    "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",  # kitty graphics: may I send one pixel?
    "\x1b[?2026$p",  # DECRQM: synchronized output
    "\x1b[?1016$p",  # DECRQM: the mouse's place in pixels
    "\x1b[16t",  # size of a cell in pixels
    "\x1b[?1;1;0S",  # XTSMGRAPHICS: number of colour registers
    "\x1b[?2;1;0S",  # XTSMGRAPHICS: largest sixel picture
    "\x1b[c",  # DA1: features, 4 is sixel
)
MORE_REGISTERS = ("\x1b[?1;3;256S", "\x1b[c")  # xterm as a VT340 starts with 16 colours

_DA1 = re.compile(rb"\x1b\[\?([\d;]*)c")
_XTVERSION = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_KITTY_OK = re.compile(rb"\x1b_Gi=31;OK\x1b\\")
_SYNCHRONIZED = re.compile(rb"\x1b\[\?2026;([0-4])\$y")
_PIXEL_MOUSE = re.compile(rb"\x1b\[\?1016;([0-4])\$y")
_CELL = re.compile(rb"\x1b\[6;(\d+);(\d+)t")
_REGISTERS = re.compile(rb"\x1b\[\?1;0;(\d+)S")
_LARGEST = re.compile(rb"\x1b\[\?2;0;(\d+);(\d+)S")


@dataclass(frozen=True)
class Replies:
    """One terminal's answers; None and False where it gave none."""

    answered: bool = False
    sixel: bool = False
    version: str = ""
    kitty_graphics: bool = False
    synchronized_output: bool = False
    pixel_mouse: bool = False
    cell_px: tuple[int, int] | None = None
    colour_registers: int | None = None
    largest_sixel_px: tuple[int, int] | None = None


def is_complete(data: bytes) -> bool:
    """True once the last question has been answered."""
    return _DA1.search(data) is not None


def parse_replies(data: bytes) -> Replies:
    """All that can be read from `data`; what is damaged or unknown is passed over."""
    da1 = _DA1.search(data)
    version = _XTVERSION.search(data)
    synchronized = _SYNCHRONIZED.search(data)
    pixel_mouse = _PIXEL_MOUSE.search(data)
    cell = _CELL.search(data)
    registers = _REGISTERS.findall(data)
    largest = _LARGEST.search(data)
    return Replies(
        answered=da1 is not None,
        sixel=da1 is not None and b"4" in da1[1].split(b";")[1:],
        version=version[1].decode("ascii", "replace") if version else "",
        kitty_graphics=_KITTY_OK.search(data) is not None,
        # 1 and 2: known and set or reset; 0 and 4 say that it can never be switched on.
        synchronized_output=synchronized is not None and synchronized[1] in b"12",
        pixel_mouse=pixel_mouse is not None and pixel_mouse[1] in b"12",
        cell_px=_pair(cell[2], cell[1]) if cell else None,
        # The last answer counts: the number may have been raised in between.
        colour_registers=int(registers[-1]) if registers else None,
        largest_sixel_px=_pair(largest[1], largest[2]) if largest else None,
    )


def _pair(first: bytes, second: bytes) -> tuple[int, int] | None:
    pair = int(first), int(second)
    return pair if min(pair) > 0 else None
