"""From a terminal's answers to the way its pictures are drawn, with the reason in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.protocol.errors import UsageError
from tuiapp.graphics.replies import Replies
from tuiapp.graphics.terminal import Colours, Protocol, TerminalGraphics

AUTO = "auto"
ENVIRONMENT_VARIABLE = "FACEWRIGHT_GRAPHICS"
SETTINGS = (AUTO, *(protocol.value for protocol in Protocol))

_KITTY_WITH_PLACEHOLDERS = (0, 28)
_DEFAULT_CELL_PX = (10, 20)
# XTVERSION names of terminals that draw iTerm2's inline JPEG pictures. Measured: Konsole. By their
# documentation: the others.
_ITERM2_VERSIONS = ("iterm2", "wezterm", "konsole", "mintty", "xterm.js")
# TERM_PROGRAM of those that may not answer XTVERSION.
_ITERM2_PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "mintty")


@dataclass(frozen=True)
class TmuxFacts:
    """What tmux says of itself and of the terminal around it."""

    version: str
    features: tuple[str, ...]
    passthrough: bool
    focus_events: bool = False

    @property
    def draws_sixel(self) -> bool:
        return "sixel" in self.features


@dataclass(frozen=True)
class Surroundings:
    """All that the choice is made from. `cell_px` is the kernel's; `tmux` None outside tmux."""

    setting: str
    environment: Mapping[str, str]
    replies: Replies
    tmux: TmuxFacts | None = None
    tmux_has_sixel: bool = False
    cell_px: tuple[int, int] | None = None


def setting_of(configured: str, environment: Mapping[str, str]) -> str:
    """The user's wish: the environment over the settings file. Raises UsageError if unknown."""
    setting = environment.get(ENVIRONMENT_VARIABLE) or configured or AUTO
    if setting not in SETTINGS:
        raise UsageError(
            f"graphics = {setting!r} is not known",
            f"one of {', '.join(SETTINGS)} (setting `graphics` or {ENVIRONMENT_VARIABLE})",
        )
    return setting


def choose(surroundings: Surroundings) -> TerminalGraphics:
    """The protocol for these surroundings, and why."""
    protocol, why = _protocol(surroundings)
    replies, tmux = surroundings.replies, surroundings.tmux
    width_px, height_px = surroundings.cell_px or replies.cell_px or _DEFAULT_CELL_PX
    return TerminalGraphics(
        protocol=protocol,
        inside_tmux=tmux is not None,
        cell_width_px=width_px,
        cell_height_px=height_px,
        synchronized_output=replies.synchronized_output and tmux is None,
        colours=colours_of(surroundings.environment, tmux),
        why=why,
        passthrough=tmux is not None and tmux.passthrough and replies.answered,
        focus_events=tmux is not None and tmux.focus_events,
        pixel_mouse=replies.pixel_mouse and tmux is None,
        colour_registers=replies.colour_registers or 256,
        max_picture_px=replies.largest_sixel_px,
    )


def colours_of(environment: Mapping[str, str], tmux: TmuxFacts | None = None) -> Colours:
    """What the environment promises, by the rules that Textual and Rich follow."""
    forced = environment.get("TEXTUAL_COLOR_SYSTEM", "")
    if forced in ("truecolor", "256", "standard"):
        return Colours.ANSI_16 if forced == "standard" else Colours(forced)
    if environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        reduced = tmux is not None and "RGB" not in tmux.features
        return Colours.PALETTE_256 if reduced else Colours.TRUECOLOR
    return Colours.PALETTE_256 if "256color" in environment.get("TERM", "") else Colours.ANSI_16


def _protocol(surroundings: Surroundings) -> tuple[Protocol, str]:
    if surroundings.setting != AUTO:
        return Protocol(surroundings.setting), f"chosen by the setting {surroundings.setting!r}"
    replies, tmux = surroundings.replies, surroundings.tmux
    if tmux is None:
        return _direct(replies, surroundings.environment)
    return _through_tmux(replies, tmux, sixel_built_in=surroundings.tmux_has_sixel)


def _direct(replies: Replies, environment: Mapping[str, str]) -> tuple[Protocol, str]:
    name = _named(replies)
    if not replies.answered:
        return _characters(environment, "the terminal did not answer the questions in time")
    if _speaks_kitty(replies):
        return Protocol.KITTY, f"{name} speaks the kitty protocol with placeholders"
    if _speaks_iterm2(replies, environment):
        return Protocol.ITERM2, f"{name} draws iTerm2's inline pictures"
    if replies.sixel:
        return Protocol.SIXEL, f"{name} draws sixel pictures"
    return _characters(environment, f"{name} draws no pictures")


def _through_tmux(
    replies: Replies, tmux: TmuxFacts, *, sixel_built_in: bool
) -> tuple[Protocol, str]:
    inside = f"inside tmux {tmux.version}"
    if not tmux.passthrough:
        hint = "; `tmux set -g allow-passthrough on` lets it be asked"
    else:
        hint = "" if replies.answered else "; the terminal around tmux did not answer"
    if tmux.passthrough and _speaks_kitty(replies):
        return Protocol.KITTY, f"{_named(replies)} around tmux speaks the kitty protocol"
    if tmux.draws_sixel and sixel_built_in:
        return Protocol.SIXEL, f"{inside}, which draws sixel pictures itself{hint}"
    if tmux.draws_sixel or replies.sixel:
        return (
            Protocol.QUADRANT,
            f"the terminal draws sixel pictures, but tmux {tmux.version} was built without them; "
            "a tmux >= 3.4 built with sixel shows them",
        )
    return Protocol.QUADRANT, f"{inside}, in a terminal without pictures that tmux hands on{hint}"


def _characters(environment: Mapping[str, str], why: str) -> tuple[Protocol, str]:
    if environment.get("TERM") in ("linux", "dumb"):
        # The Linux console's font has the half blocks, not the quadrants.
        return Protocol.HALF, f"{why}; half blocks for TERM={environment['TERM']}"
    return Protocol.QUADRANT, why


def _speaks_kitty(replies: Replies) -> bool:
    # Konsole and others answer OK to kitty's question and lack placeholders: the name decides.
    if not replies.kitty_graphics:
        return False
    if replies.version.lower().startswith("ghostty"):
        return True
    kitty = re.match(r"kitty\((\d+)\.(\d+)", replies.version)
    return kitty is not None and (int(kitty[1]), int(kitty[2])) >= _KITTY_WITH_PLACEHOLDERS


def _speaks_iterm2(replies: Replies, environment: Mapping[str, str]) -> bool:
    if replies.version.lower().startswith(_ITERM2_VERSIONS):
        return True
    return environment.get("TERM_PROGRAM", "") in _ITERM2_PROGRAMS


def _named(replies: Replies) -> str:
    return replies.version or "the terminal"
