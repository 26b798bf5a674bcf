"""A label session in words: where one is, what the pencil does, which keys help now."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from tuiapp.bridge.label_desk import LabelDesk
from tuiapp.bridge.label_pencil import LabelPencil
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.wording import plain_text

XY = tuple[float, float]
_ASKED = {
    "landmarks": "looking at the landmarks ...",
    "hairline": "looking for the hair line ...",
    "grabcut": "fitting to the edges ...",
}


def waiting_words(view: RunView) -> str:
    """While there is nothing of a session yet, or nothing any more."""
    if not view.state.live:
        return ""
    if view.state is ViewState.STOPPING:
        return "the session ends"
    return "the session begins: looking at the faces ..."


def where_words(desk: LabelDesk, view: RunView, zoom: float, cursor_xy: XY) -> Content:
    """The line under the face."""
    if desk.state is None:
        return Content(waiting_words(view))
    if not desk.faces:
        return Content("no faces are left here")
    parts = [
        (f"{desk.face + 1}/{desk.faces}", "bold $accent"),
        (plain_text(desk.name) if desk.shown and desk.shown.face == desk.face else "", ""),
        (f"{len(desk.labelled)} labelled", "$success"),
        (f"zoom {zoom:.1f}", "dim" if zoom == 1 else ""),
        (f"x {cursor_xy[0]:.2f} y {cursor_xy[1]:.2f}", ""),
        ("" if desk.is_kept else "not saved yet", "$warning"),
    ]
    return _joined(parts)


def pencil_words(desk: LabelDesk, *, step: str, locked: bool, hidden: bool) -> Content:
    """What a press does now, and what is switched."""
    if desk.shown is not None and desk.shown.trouble:
        return Content.styled(plain_text(desk.shown.trouble), "$error")
    if desk.asked is not None:
        return Content.styled(_ASKED[desk.asked], "$warning")
    what, style = doing_words(desk.pencil)
    parts = [
        (what, style),
        ("arrows: " + step, "dim"),
        ("view locked on the cursor" if locked else "", "$warning"),
        ("drawing hidden" if hidden else "", "$warning"),
    ]
    return _joined(parts)


def doing_words(pencil: LabelPencil) -> tuple[str, str]:
    """In a few words, and their style."""
    if pencil.drawing.open is not None:
        begun = pencil.drawing.open
        kind = "include" if begun.is_include else "exclude"
        return f"drawing, {kind}: {_points(len(begun.points))}", "bold $primary"
    if pencil.held is not None:
        return "moving a point", "bold $warning"
    if pencil.selected is not None:
        polygon = pencil.drawing.polygons[pencil.selected]
        kind = "include" if polygon.is_include else "exclude"
        words = f"polygon {pencil.selected + 1}/{len(pencil.drawing.polygons)}, {kind}"
        return words + (": points in and out" if pencil.edits_points else ""), "bold $primary"
    return f"next polygon: {'include' if pencil.includes else 'exclude'}", ""


Rows = list[tuple[str, str]]


def helping_keys(pencil: LabelPencil) -> Rows:
    """(id of a key, what it does now), the most wanted first."""
    if pencil.drawing.open is not None:
        return [
            ("press", "point; on the first: close"),
            ("close", "close it"),
            ("undo", "take the last point back"),
            ("delete", "drop the polygon"),
            ("step", "how far arrows go"),
            ("zoom", "closer"),
        ]
    if pencil.held is not None:
        return [
            ("press", "let go here"),
            ("back", "put it back"),
            ("left", "move it (Shift, Ctrl: finer)"),
        ]
    if pencil.selected is not None:
        return [
            ("hold", "move the nearest point"),
            ("insert", "a new point in the edge"),
            ("remove", "remove the nearest point"),
            ("points", "clicks: points in and out"),
            ("turn", "include or exclude"),
            ("delete", "delete the polygon"),
            ("point-next", "to the next point"),
            ("polygon-next", "the next polygon"),
            ("back", "deselect"),
        ]
    rows = [
        ("press", "draw a polygon"),
        ("from-landmarks", "suggest: jaw to brows"),
        ("from-hairline", "suggest: to the hair line"),
    ]
    if pencil.drawing.polygons:
        rows += [("from-grabcut", "fit to the edges"), ("polygon-next", "edit a polygon")]
    return [
        *rows,
        ("include", "the next includes"),
        ("exclude", "the next excludes"),
        ("next", "next face"),
        ("previous", "face before"),
        ("suggested-on", "the most useful face"),
        ("trash", "to the trash"),
    ]


def hint_words(pencil: LabelPencil, keys_of: Callable[[str], str]) -> Content:
    """The helping keys, a line each."""
    lines = [
        Content.assemble((keys_of(id).rjust(6), "$accent"), f"  {words}")
        for id, words in helping_keys(pencil)
    ]
    return Content("\n").join(lines)


def _points(count: int) -> str:
    return f"{count} point" if count == 1 else f"{count} points"


def _joined(parts: list[tuple[str, str]]) -> Content:
    return Content("  ").join(Content.styled(words, style) for words, style in parts if words)
