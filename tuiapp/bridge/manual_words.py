"""A manual extraction in words: where one is, what is placed, which keys help now."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from tuiapp.bridge.manual_desk import WHOLE, WINDOW_PX, ManualDesk
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.wording import plain_text

_STATES = {
    "open": ("to be done", "$warning"),
    "kept": ("kept", "$success"),
    "skipped": ("no face", "dim"),
    "known": ("has a face", "$success"),
    "other": ("need not be done", "dim"),
}
_FILLING = {"between": "filling the frames between ...", "follow": "following the face ..."}


def waiting_words(view: RunView) -> str:
    """While there is nothing of a session yet, or nothing any more."""
    if not view.state.live:
        return ""
    if view.state is ViewState.STOPPING:
        return "the session ends"
    return "the session begins: looking at frames and faces ..."


def where_words(desk: ManualDesk, view: RunView) -> Content:
    """Which frame, how it stands, how many are done."""
    if desk.state is None:
        return Content(waiting_words(view))
    done, wanted = desk.done
    here = desk.states[desk.frame] if desk.frame < len(desk.states) else "other"
    shown = desk.shown if desk.shown and desk.shown.frame == desk.frame else None
    filling = _FILLING.get(desk.state.filling, "")
    return _joined(
        [
            (f"{desk.frame + 1}/{len(desk.states)}", "bold $accent"),
            (plain_text(shown.name) if shown else "", ""),
            _STATES.get(here, ("", "")),
            (f"{done} of {wanted} done", "$success" if done == wanted else ""),
            (plain_text(shown.problem) if shown else "", "$error"),
            (filling, "bold $warning"),
        ]
    )


def face_words(desk: ManualDesk) -> Content:
    """What is placed, and what keys move."""
    if desk.state is None or (desk.shown is not None and desk.shown.problem):
        return Content("")
    what, style = _placed(desk)
    square = desk.square
    parts = [(what, style), (_moved(desk), "bold $warning")]
    if square is not None and not desk.locked and desk.anchor is None:
        half_px = square.half_side * WINDOW_PX / desk.frame_height
        roll = f", roll {square.roll_deg:.0f}" if square.roll_deg else ""
        parts.append((f"square {half_px:.0f}{roll}", ""))
        parts.append(("exact" if desk.accurate else "fast", "dim"))
        doubtful = desk.face is not None and desk.face.doubtful
        parts.append(("no face seen: these follow the square" if doubtful else "", "$warning"))
    return _joined(parts)


def _placed(desk: ManualDesk) -> tuple[str, str]:
    if desk.face is None:
        return "looking ...", "dim"
    if desk.anchor is not None:
        return "free rectangle: point to the face's right edge", "bold $primary"
    if not desk.points:
        return "no landmarks here", "$warning"
    if desk.is_kept:
        return "in its file", "$success"
    how = "as before" if desk.face.source == "copy" else ""
    return ("locked " + how).strip() if desk.locked else "free", (
        "bold $primary" if desk.locked else ""
    )


def _moved(desk: ManualDesk) -> str:
    if desk.single is not None:
        return f"moves point {desk.single}"
    if desk.part == WHOLE:
        return "moves the whole face"
    return f"moves the {desk.part}" if desk.part else ""


Rows = list[tuple[str, str]]
# Ids of keys and what they do, in the words that suit the moment.
_PLACING: Rows = [
    ("left", "move the square"),
    ("larger", "larger"),
    ("smaller", "smaller"),
    ("clockwise", "turn"),
    ("lock", "lock it as it is"),
    ("rectangle", "free rectangle"),
    ("accurate", "exact or fast"),
    ("copy", "as in the frame before"),
]
_LOCKED: Rows = [
    ("lock", "let it go"),
    ("part", "choose a part"),
    ("point", "choose a point"),
    ("copy", "as in the frame before"),
]
_POINTS: Rows = [
    ("left", "move them"),
    ("fine-left", "a little"),
    ("larger", "larger"),
    ("clockwise", "turn"),
    ("part", "next part"),
    ("point", "next point"),
    ("undo", "undo"),
]
_FRAMES: Rows = [
    ("keep", "keep, next"),
    ("skip", "no face, next"),
    ("next", "on"),
    ("previous", "back"),
    ("next-open", "next to be done"),
    ("follow", "follow it"),
    ("between", "fill between"),
    ("finish", "finish"),
]


def hint_words(desk: ManualDesk, written: Callable[[str], str]) -> Content:
    """The keys that help now. written: a key of that id, as it is bound."""
    here = _POINTS if desk.chosen else _LOCKED if desk.locked else _PLACING
    lines: list[Content] = []
    for rows in (here, _FRAMES):
        for key, words in rows:
            lines.append(Content.assemble((f"{written(key):>10} ", "bold $accent"), words))
        lines.append(Content(""))
    return Content("\n").join(lines)


def _joined(parts: list[tuple[str, str]]) -> Content:
    return Content("  ").join(Content.styled(words, style) for words, style in parts if words)
