"""A merge session in words: where one is, what is seen, what is still to come."""

from __future__ import annotations

from textual.content import Content

from tuiapp.bridge.merge_desk import MergeDesk
from tuiapp.bridge.merge_sight import VIEW_WORDS
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.wording import plain_text

_ZOOM_WORDS = {"fit": "", "face": "face", "1:1": "1:1"}


def where_words(desk: MergeDesk, view: RunView, problem: str) -> Content:
    """The line under the frames. problem: why the picture could not be drawn, or ""."""
    state = desk.state
    if state is None:
        return Content(waiting_words(view))
    parts = [(f"{desk.frame + 1}/{state.frames}", "bold $accent")]
    if desk.shown is not None and desk.shown.frame == desk.frame:
        parts.append((plain_text(desk.shown.name), ""))
    if desk.sight.track:
        parts.append((f"face {plain_text(desk.sight.track)}", "bold $warning"))
    if desk.key_here is not None:
        parts.append((f"key, {desk.key_here.goes_on}", "$warning"))
    if desk.carried is not None:
        parts.append((f"carrying the key of frame {desk.carried.frame + 1}", "bold $warning"))
    parts.append((sight_words(desk), "dim"))
    done = sum(state.done[1::2])
    is_done = f"{done} of {state.frames} rendered"
    parts.append((f"rendering, {is_done}" if state.processing else is_done, "$success"))
    note = problem or (plain_text(desk.shown.note) if desk.shown else "")
    if note:
        parts.insert(1, (note, "$warning"))
    return Content("  ").join(Content.styled(words, style) for words, style in parts if words)


def waiting_words(view: RunView) -> str:
    """While there is nothing of a session yet, or nothing any more."""
    if not view.state.live:
        return ""
    if view.state is ViewState.STOPPING:
        return "the session ends"
    return "the session begins: the model is loaded, faces are collected ..."


def sight_words(desk: MergeDesk) -> str:
    """View, zoom and scale, where they are not the plain ones."""
    sight = desk.sight
    words = [VIEW_WORDS[sight.view] if sight.view != "result" else "", _ZOOM_WORDS[sight.zoom]]
    if sight.scale != 1:
        words.append(f"x{sight.scale:.1f}")
    return " ".join(word for word in words if word)
